# SPDX-License-Identifier: Apache-2.0
"""The plots. A line is one beat; a leading `?` makes it optional; `FACTS` are what can be asked."""

OPENING = [
    "[Once upon a time,|Once upon a time|One day long ago,|A long time ago,|Not so long ago,] "
    "there was a {trait} {subj} named {name}. {He} lived {place}.",
    "[Once upon a time, there lived|Once there lived|There once lived] a {trait} {subj} {place}. "
    "[{His} name was {name}.|Everyone called {him} {name}.]",
    "[Once upon a time,|Long ago,|Once,] {place}, there lived a {trait} {subj} named {name}.",
    "{name} was a {trait} {subj} who lived {place}.",
]
TODAY = ("[One day|One morning|One sunny morning|One afternoon|One fine day|One cold day|"
         "One evening|One spring day|One windy day]")
MEET = ("[{He} met a {htrait} {helper} named {hname}.|Then {he} saw a {htrait} {helper} named "
        "{hname}.|A {htrait} {helper} named {hname} came by.|Just then, a {htrait} {helper} named "
        "{hname} came along.]")

PLOTS = {
    "lost": """
{name} had a {colour} {item}, and {he} loved it [very much|more than anything|with all {his} heart].
{today}, the {item} was gone! ["Where is my {item}?" {he} cried.|{name} felt very sad.|{name} \
began to cry.]
[{He}|The {subj}] looked [here and there|everywhere|high and low], but {he} could not find it.
{meet}
["Why are you so sad?" asked {hname}. "I lost my {colour} {item}," said {name}.|"What is wrong?" \
asked the {helper}. "My {item} is gone," said the {subj}.]
["Do not worry. Let us look together," said {hname}.|"I will help you," said the {helper}. "Four \
eyes see more than two."]
[They looked and looked.|They looked for a long time.|So the two of them searched all day.]
At last, they found the {item} {spot}! 
["Thank you!" said {name}, and {he} hugged {hname}.|{name} jumped for joy. "Thank you, {hname}!" \
{he} said.|The {subj} was so happy that {he} danced.]
?From that day on, the {subj} and the {helper} were [good|best] friends.""",
    "fear": """
[But {name} had a secret:|There was only one problem:] {he} was afraid of {fear}.
?[The other animals sometimes laughed at {him}.|{He} did not tell anyone.|Every night, {he} hid \
under {his} blanket.]
{today}, {name} heard a small voice. "Help! Please help me!" it called.
It was a {htrait} {helper} named {hname}, who was [lost and cold|all alone|hurt and could not move].
[{name} was scared because of {fear}, but {he} wanted to help.|The {subj} thought about {fear} and \
began to shake. But {he} did not run away.]
["I can do this," {he} said to {himself}.|{He} took a deep breath and said, "I will be brave."] 
[Step by step,|Slowly and carefully,] {he} went to the {helper} and [took {hhim} home|brought \
{hhim} to a safe place].
["You are so brave!" said {hname}.|"Thank you, {name}. You are a hero," said the {helper}.]
["I was afraid," said {name}, "but I did it anyway."|{name} smiled. {He} was not so afraid of \
{fear} any more.]
?That night, the {subj} slept very well.""",
    "share": """
{today}, {name} found a big basket of {food}. ["How lucky I am!" {he} said.|"All this is for me!" \
{he} said.]
[{He}|The {subj}] [carried the basket home|took the basket home] and sat down to eat.
[Then there was a knock.|Then {he} heard a soft sound.] [It was|There stood] a {htrait} {helper} \
named {hname}.
["I am so hungry," said {hname}. "I have not eaten all day."|"Please, may I have some {food}?" \
asked the {helper}. "I have nothing to eat."]
[{name} looked at the basket. At first, {he} did not want to share.|The {subj} thought for a \
moment.]
[But then {he} saw the sad eyes of {hname}.|But {he} remembered how bad it feels to be hungry.] \
["Come and sit with me," {he} said.|"There is enough for two," said {name}.]
They ate the {food} together, and [they talked and laughed|they told each other funny stories] \
until the sun went down.
["Food tastes better with a friend," said {name}.|"Thank you, {name}," said the {helper}. "You \
have a kind heart."]
?The next day, {hname} came back with a {colour} {item} as a gift for the {subj}.""",
    "stuck": """
{today}, {name} was {walking} [along|around] when {he} heard a cry for help.
A {htrait} {helper} named {hname} was stuck {stuck}!
["Please help me!" cried the {helper}. "I cannot get out."|"I have been here all day," said \
{hname}. "Can you help me?"]
[{name} pulled and pulled, but it did not work.|The {subj} tried to pull {hhim} out, but {he} was \
not strong enough.]
[Then {name} had an idea.|Then the {subj} thought of something clever.] {He} [found a long \
rope|found a strong stick|called all {his} friends].
["One, two, three!" they counted.|"Hold on tight!" said {name}.] And with a loud pop, {hname} was \
free!
["You saved me!" said the {helper}.|"How can I ever thank you?" asked {hname}.] ["That is what \
friends are for," said {name}.|"I am glad you are safe," said the {subj}.]
?A few days later, {name} needed help, and {hname} came at once.
?So the {subj} and the {helper} became friends.""",
    "build": """
{name} wanted to build a {build}. ["It will be the best {build} in the world," {he} said.|It was \
{his} biggest dream.]
{today}, {he} began to work with {material}. [But the wind blew, and everything fell down.|But in \
the evening, it all fell down.]
["I will try again," said {name}.|The {subj} was sad, but {he} tried again.] [But it fell down a \
second time.|The next day, it fell down once more.]
{meet}
["You work too fast," said {hname}. "Let me show you how."|"Start with a strong floor," said the \
{helper}. "Then go up slowly."]
They worked [together|side by side] for [three days|five days|a whole week]. [{name} was tired, \
but {he} did not give up.|It was hard, but it was fun too.]
At last, the {build} was ready. It was [strong and beautiful|tall and strong|a little crooked, but \
very strong].
["We did it!" shouted {name}.|The {subj} was very proud.|"I could not do it without you," said \
{name} to {hname}.]
?Everyone came to see the {build}, and they had a big party.""",
    "storm": """
{today}, dark clouds came, and the wind began to blow. [A big storm was coming!|Then the rain fell \
hard.]
{name} [hurried home|hid in {his} home] and closed the door. [{He} was warm and dry.|Inside, it \
was warm and quiet.]
Then {he} heard [a knock|someone calling]. It was a {htrait} {helper} named {hname}, who was [wet \
and cold|shaking in the rain].
["My home is gone," said {hname}. "May I come in?"|"The wind took my home," said the {helper}.]
["Of course! Come in," said {name}.|The {subj} opened the door at once. "Come in quickly!" {he} \
said.]
{He} gave {hhim} a {colour} blanket and some warm {food}. [They listened to the rain and told \
stories.|They sang songs until the thunder went away.]
In the morning, the sun was shining, and there was a rainbow in the sky.
["Now I will help you to build a new home," said {name}.|Together, the {subj} and the {helper} \
made a new home for {hname}.]
?"A storm is not so bad when you have a friend," said {hname}.""",
    "learn": """
{name} wanted to learn to {skill}, but it was very hard.
["I will never learn it," {he} said.|The first time {he} tried, everyone laughed.|Every time {he} \
tried, it went wrong.]
{today}, {he} saw a {htrait} {helper} named {hname}, who was very good at {skilling}.
["Can you teach me to {skill}?" asked {name}.|"Please teach me," said the {subj}.] ["Yes," said \
{hname}, "but you must practise every day."|"I will," said the {helper}. "You only need time."]
So {name} practised [every morning|every day|in the morning and in the evening]. [Some days were \
good, and some days were bad.|It was slow, but {he} did not give up.]
[After many days,|One week later,|At last,] something wonderful happened. {name} could {skill}!
["Look at me!" {he} called.|The {subj} was so happy that {he} laughed out loud.|"I can do it!" \
cried the {subj}.] 
[{hname} clapped and smiled.|"I knew you could do it," said {hname}.|"Well done," said the \
{helper}.]
?Now {name} teaches all the little ones how to {skill}.""",
    "quarrel": """
{name} had a good friend, a {htrait} {helper} named {hname}. They played together every day.
{today}, they found a {colour} {item} {spot}. "It is mine!" said {name}. "No, it is mine! I saw it \
first!" said {hname}.
[They pulled and pulled until the {item} broke.|They shouted at each other, and then they both \
went home.]
[That night, {name} could not sleep.|At home, the {subj} felt very bad.] ["A friend is worth more \
than a {item}," {he} thought.|{He} missed {his} friend.]
The next morning, {he} {walked} to the home of the {helper}. ["I am sorry," said {name}.|"I am \
sorry that I shouted," said the {subj}.]
["I am sorry too," said {hname}.|"So am I," said the {helper}. "Let us be friends again."]
[They hugged and smiled.|They laughed and shook hands.] Then they [made a new {item} \
together|fixed the {item} together|shared the {item} and played all day].
?After that, the {subj} and the {helper} never fought about such things again.""",
    "journey": """
[{name} had a dream.|Every night, {name} had the same dream.] {He} wanted to {dream}.
{today}, {he} packed some {food} and said goodbye to {his} home. ["I will come back soon," {he} \
said.|"Today is the day," said the {subj}.]
[The way was long.|{He} {walked} over hills and past rivers.] On the way, {he} met a {htrait} \
{helper} named {hname}.
["Where are you going?" asked {hname}. "I want to {dream}," said {name}.|"May I come with you?" \
asked the {helper}. "Yes, two are better than one," said the {subj}.]
So they {walked} on together. [When {name} was tired, {hname} sang a song.|When they were hungry, \
they shared the {food}.]
After three days, they came to {dreamplace}. {dreamsight}.
["It is even better than my dream," said {name}.|The {subj} was so happy that {he} could not speak.]
Then they {walked} home again, and {name} told everyone about it.
?"The best part was to have a friend on the way," said the {subj}.""",
    "gift": """
{name} had a good friend, a {htrait} {helper} named {hname}. Soon it was the birthday of {hname}.
["What can I give to {hname}?" thought {name}. {He} had no money.|The {subj} wanted to give {hhim} \
something special, but {he} had no money.]
[{He} thought and thought.|{He} thought about it all day.] Then {he} had an idea. "I will make a \
{gift}!" {he} said.
{name} worked [all day|all night|for two days]. [It was not easy.|{He} made many mistakes, but \
{he} did not stop.]
[On the day of the party,|On the birthday,] everyone brought big gifts. [{name} was shy because \
{his} gift was small.|The {subj} hid {his} gift behind {his} back.]
["Here, I made it for you," {he} said softly.|"It is only a {gift}," said {name}.] {hname} opened \
it and smiled [from ear to ear|with shining eyes].
["This is the best gift of all," said the {helper}, "because you made it yourself."|"I love it!" \
said {hname}. "You made it just for me."]
?Then they ate cake and danced until the moon came up.""",
    "seed": """
{today}, {name} found a little {seed} seed {spot}. ["What will you be?" {he} asked.|"I will plant \
it," {he} said.]
{He} put the seed in the ground and gave it water. [The next day, {he} looked, but nothing was \
there.|{He} waited all day, but nothing happened.]
["Maybe it is a bad seed," said the {subj}.|"Why does it not grow?" asked {name}.] 
{meet} ["Be patient," said {hname}. "Good things need time."|"Wait a little longer," said the \
{helper}. "Give it water and sun every day."]
So {name} gave it water every [day|morning]. [{He} sang to it too.|{He} told it stories too.] \
[Days passed. Then weeks passed.|The rain came, and the sun came.]
One morning, there was a tiny green leaf! ["You are here!" cried {name}.|The {subj} jumped for joy.]
It grew and grew, and by the summer it was {plant}.
[{name} called {hname}, and they sat beside it all day.|"You were right," said {name} to {hname}. \
"It was worth the wait."]""",
    "race": """
{today}, there was a big race. {name} wanted to win, and so did {hname} the {helper}.
["I am the fastest!" said {hname}.|"You can never win," said the {helper}.] ["We will see," said \
{name}.|The {subj} only smiled.]
"One, two, three, go!" [They were off.|And the race began.] [At first, {hname} was in front.|Soon, \
{hname} was far ahead.]
[But then {hname} fell and hurt {hhis} foot.|But near the end, {hname} got stuck {stuck}.] \
[Everyone else went past {hhim}.|Nobody stopped.]
{name} could see the finish line. [But {he} stopped and went back.|But the {subj} could not leave \
{hhim} there.]
["Let me help you," {he} said.|"Come, we will finish together," said {name}.] [They crossed the \
line together, the very last of all.|Side by side, they came to the end of the race.]
["You could have won!" said {hname}. "I won a friend," said {name}.|Everyone clapped and shouted \
for the {subj}.]
?{hname} gave {him} a {colour} {item}. "For the real winner," {hhe} said.""",
    "honest": """
{today}, {name} was playing with a ball near the home of {hname}, a {htrait} {helper}.
[The ball flew too far.|{He} did not look where the ball went.] Crash! The {broke} of {hname} was \
broken.
[Nobody saw it.|There was nobody near.] ["I could run away," thought {name}.|The {subj} wanted to \
hide.]
[{He} went home, but {he} felt bad inside.|{He} ran home, but {he} could not eat and {he} could \
not play.] ["I must tell the truth," {he} said at last.|"This is not right," {he} thought.]
So {he} went back. "I broke your {broke}," said {name}. "I am very sorry."
[{hname} was quiet for a moment. Then {hhe} smiled.|The {helper} looked at {him} for a long time.] \
["Thank you for telling the truth," {hhe} said.|"It was brave to tell me," said {hname}.]
Together they [fixed the {broke}|cleaned everything up], and then they ate {food}.
?{name} felt light and happy again.""",
    "cold": """
Winter was coming. {name} [had no food for the cold days|had only played all summer and had no \
food].
?{today}, the first snow fell, and everything was white.
{He} {walked} from place to place. ["Go away," said some.|"We have no food for you," said some.] \
[The {subj} was cold and hungry.|{name} was very sad.]
{meet}
["Come to my home," said {hname}. "I have {food} for two."|"You can stay with me," said the \
{helper}. "It is warm inside."]
All winter, they lived together. {name} [told stories|sang songs|played music|made jokes], and \
{hname} [cooked soup|made tea|laughed and laughed].
When spring came, {name} said, ["Now I will work hard and fill the house with {food} for \
you."|"This year I will gather {food} for both of us."]
And so {he} did. [The {subj} and the {helper} were never hungry again.|{name} never forgot how \
kind {hname} was.]""",
}

ENDING = ["And they lived happily ever after.", "And they were happy ever after.", "The end.",
          "And so {name} the {subj} was happy.",
          "And if you listen, you can still hear {him} laugh.",
          "And {name} went to bed with a smile.", ""]

MORALS = {
    "lost": "A friend in need is a friend indeed.",
    "fear": "Being brave means doing it even when you are afraid.",
    "share": "Sharing makes everything better.",
    "stuck": "If you help others, others will help you.",
    "build": "If you do not give up, you will reach your goal.",
    "storm": "An open door makes a good friend.",
    "learn": "Practice makes perfect.",
    "quarrel": "A friend is worth more than any thing.",
    "journey": "The way is nicer with a friend.",
    "gift": "The best gifts come from the heart.",
    "seed": "Good things need time.",
    "race": "Helping a friend is better than winning.",
    "honest": "It is always good to tell the truth.",
    "cold": "Kindness is never forgotten.",
}

FACTS = {
    "lost": [("What did {he} lose?|What did the {subj} lose?|What was lost?",
              "{He} lost {his} {colour} {item}."),
             ("Where did they find it?|Where was the {item}?", "They found the {item} {spot}."),
             ("What colour was the {item}?", "The {item} was {colour}.")],
    "fear": [("What was {he} afraid of?|What was the {subj} afraid of?",
              "{He} was afraid of {fear}.")],
    "share": [("What did {he} find?|What did they eat?", "It was a big basket of {food}.")],
    "stuck": [("Where was {hname} stuck?|What was wrong with the {helper}?",
               "{hname} was stuck {stuck}.")],
    "build": [("What did {he} build?|What did the {subj} want to build?",
               "{He} wanted to build a {build}.")],
    "storm": [("What happened to {hname}?|Why did the {helper} come?",
               "The storm took the home of {hname}, so {hhe} asked for help.")],
    "learn": [("What did {he} learn?|What did the {subj} want to learn?",
               "{He} wanted to learn to {skill}.")],
    "quarrel": [("Why did they fight?|What did they fight about?",
                 "They fought about a {colour} {item}.")],
    "journey": [("What did {he} want?|What was the dream of the {subj}?",
                 "{He} wanted to {dream}.")],
    "gift": [("What did {he} make?|What was the gift?", "{He} made a {gift}.")],
    "seed": [("What did {he} plant?|What did the {subj} find?", "It was a {seed} seed.")],
    "race": [("Who won the race?|Did {he} win?",
              "{name} and {hname} finished together, the very last of all.")],
    "honest": [("What did {he} break?|What was broken?", "{He} broke the {broke} of {hname}.")],
    "cold": [("Who helped {him}?", "{hname} the {helper} helped {him}.")],
}
ANY_FACTS = [
    ("What was {his} name?|What was the name of the {subj}?|What is the {subj} called?|"
     "Who was the story about?", "{His} name was {name}.|The {subj} was named {name}."),
    ("Where did {he} live?|Where did {name} live?|Where did the {subj} live?",
     "{name} lived {place}.|{He} lived {place}."),
    ("Who was {hname}?|What was {hname}?", "{hname} was a {htrait} {helper}."),
    ("Who was the friend?|Who else was in the story?|Who did {he} meet?",
     "It was {hname}, a {htrait} {helper}."),
    ("Who was {name}?", "{name} was a {trait} {subj}."),
]
