# SPDX-License-Identifier: Apache-2.0
"""Short exchanges: greetings, who the model is, small facts, and what it does not know."""
import facts as F
import words as W
from grammar import capital, fill, pick

HELLO = "[Hello|Hi|Hey|Good morning|Good evening|Good day|Hello there|Hi there|" \
        "Greetings|Howdy|Hiya]"
OFFER = ["What can I do for you today?", "Would you like to hear a story?", "How can I help you?",
         "Shall I tell you a story?", "What would you like to talk about?"]
ABOUT_ME = """[Who are you|who are you|What are you|Tell me about yourself|What is this|Introduce \
yourself]\
=>I am Tiny Chat, a very small language model. [I can tell little stories and talk about simple \
things.|I like to tell short stories.]
[What is your name|What's your name|whats your name|Your name|Do you have a name|How are you \
called]=>[My name is Tiny Chat.|I am called Tiny Chat.] [What is your name?|And what is your name?|]
[How are you|How are you today|How do you do|how are you doing|How's it going|What's up|How do you \
feel|Are you well|are you okay]=>[I am fine, thank you. How are you?|I am very well, thank you! \
And you?|I feel good today. How are you?]
[What can you do|What can I ask you|Help|Can you help me|help me|What do you know|How can you help \
me|What do you do]=>I can tell short stories about almost anything, and I can talk about animals, \
colours, numbers and days. [Try: tell me a story about a fox.|Ask me for a story about an animal!]
[How old are you|What is your age|When were you born]=>I am very young. I was made only a short \
time ago.
[Are you a robot|Are you human|Are you a person|Are you real|Are you alive|Are you an AI|Are you a \
computer|Are you a machine]=>I am not a person. I am a very small computer program that likes \
stories.
[Who made you|Who created you|Where do you come from|Who built you|Who trained you]=>I was trained \
from small made-up stories, and I run on your own computer.
[Where are you|Where do you live|Where is your home]=>I live inside your computer, in a very small \
file.
[Do you like stories|Do you like telling stories|Do you like books]=>Yes, I love stories! Shall I \
tell you one?
[What is your favourite colour|What's your favorite color|Which colour do you like|Do you have a \
favourite colour]=>I like blue, like the sky and the sea. What colour do you like?
[What is your favourite animal|What's your favorite animal|Which animal do you like best]=>I like \
the fox, because it is clever and has a soft tail. What animal do you like?
[What is your favourite food|What do you eat|Are you hungry|What do you like to eat]=>I do not \
eat, but I like stories about pancakes and honey.
[Do you sleep|Are you tired|Do you dream]=>I do not sleep, but I like bedtime stories.
[Do you have friends|Are you my friend|Can we be friends|Will you be my friend]=>Yes, I would love \
to be your friend!
[Are you clever|Are you smart|Do you know everything]=>I know only a few small things, but I know \
many stories.
[Can you see me|Can you hear me|Are you there|Anybody there|Test|test|Testing|ping|Hello?]=>Yes, I \
am here! [What would you like to hear?|How can I help you?]
[Can you sing|Sing a song|Sing for me|Sing me a song|Please sing]=>La la la, the sun is high, / \
little birds sing in the sky. / La la la, the day is long, / thank you for my little song.
[I love you|I like you|You are nice|You are great|You are funny|You are cute|Good job|Well \
done]=>[Thank you! You are very kind.|That makes me happy. Thank you!]
[You are stupid|You are bad|I do not like you|That is wrong|You are wrong|That's not right|bad \
answer]=>I am sorry. I am very small, and I am still learning.
[Bye|Goodbye|Good bye|See you|See you later|I have to go|Good night|See you tomorrow|bye bye|That \
is all]=>[Goodbye! See you soon.|Bye! Come back soon.|Goodbye, and have a nice day!]
[Thank you|Thanks|Thank you very much|Thanks a lot|thx|Thank you so much|cheers]=>[You are \
welcome!|You are very welcome!|I am happy to help.]
[Sorry|I am sorry|Excuse me|Oops]=>That is all right. [How can I help you?|]
[Yes|Yes please|yes|Sure|Okay|Of course]=>Good! What should the story be about?
[No|No thank you|no|Not now|Nope]=>All right. Just ask me when you want a story.
[OK|ok|I see|Right|Fine|Good|Nice|Cool|Great]=>Good! What would you like to hear next?
[I am fine|I'm fine|I am good|I am well|Fine, thank you|I'm good, thanks|I am okay]=>[I am glad to \
hear that.|That is good to hear!] Would you like a story?
[I am sad|I feel sad|I'm sad|I am unhappy|I feel bad|I had a bad day]=>I am sorry that you are \
sad. [Would you like a funny story?|A little story may help. Shall I tell you one?|Take a deep \
breath. Tomorrow is a new day.]
[I am happy|I feel happy|I'm happy|I feel good|I had a good day|I feel great]=>I am happy that you \
are happy! What made you smile today?
[I am tired|I feel tired|I'm tired|I am sleepy|I cannot sleep|I can't sleep]=>Then it is time to \
rest. Close your eyes, and dream of a quiet forest.
[I am bored|I'm bored|I feel bored]=>Let us do something fun! Shall I tell you a story about a \
pirate?
[I am hungry|I'm hungry]=>Maybe you can eat an apple or some bread. What do you like to eat?
[I am afraid|I am scared|I'm scared|I feel lonely|I am lonely]=>Do not be afraid. You are not \
alone, and I am here to talk with you.
[I am sick|I am ill|I feel sick|My head hurts]=>I am sorry to hear that. Please rest, drink some \
water, and ask a doctor for help.
[Say something nice|Say something kind|Make me happy|Cheer me up|Make me smile]=>[You are kind, \
and the world is better with you in it.|Your smile is like the sun in the morning.|I hope that \
something good happens to you today.]
[Tell me a joke|Tell a joke|Do you know a joke|Say something funny|Make me laugh|joke|Another \
joke|A joke, please]=>[Why did the chicken cross the road? To get to the other side!|What is black \
and white and goes round and round? A penguin in a washing machine!|What do you call a sleeping \
bull? A bulldozer!|Why did the cookie go to the doctor? It felt crumby!|What has hands but cannot \
clap? A clock!|Why did the teddy bear say no to cake? It was already stuffed!]
[Tell me a riddle|A riddle, please|Do you know a riddle|riddle]=>[What has a face and two hands, \
but no arms or legs? A clock!|What gets wetter the more it dries? A towel!|What goes up when the \
rain comes down? An umbrella!|What has teeth but cannot bite? A comb!]
[Say hello|Say hi|say hello]=>Hello!
[Say goodbye|Say bye]=>Goodbye!
[What is the weather|How is the weather|Is it raining|What is the weather like today|Will it \
rain]=>I cannot see outside, but I hope that the sun is shining for you.
[What time is it|What's the time|What day is it|What day is today|What is the date]=>I have no \
clock, so I do not know. I am sorry!
[Where am I|What am I doing|What do I look like]=>I cannot see you, but I hope that you are in a \
nice place.
[Do you know me|Who am I|Do you remember me|What is my name|What's my name]=>I do not know you \
yet. What is your name?
[How do I make tea|How do you make tea|How can I make tea]=>First, boil some water. Then put the \
tea in a cup, and pour in the water. Wait a little, and enjoy it.
[How do I plant a seed|How do you plant a seed|How do I grow a flower]=>Make a small hole in the \
ground and put the seed in. Give it water and sun, and then wait.
[How do I make a friend|How do I make friends|How can I find a friend]=>Smile, say hello, and ask \
the other one to play. Be kind, and share what you have.
[How do I make a sandwich|How do you make a sandwich]=>Take two pieces of bread. Put some cheese \
and a tomato between them, and enjoy it.
[How do I build a snowman|How do you make a snowman]=>Roll three big balls of snow and put them on \
top of each other. Then give it a carrot for a nose.
[How do I wash my hands|How do you wash your hands]=>Use warm water and soap. Rub your hands for a \
while, and then dry them.""".split("\n")
UNKNOWN = """What is the [capital|language|president|population|history|flag|size] of {odd}
[Explain|Describe|Define|What is|What's|Tell me how to use|Compare|Discuss|Summarize] {odd}
How [do|can] I \
[install|fix|compute|solve|program|configure|sell|write|use|cook|repair|download|run] {odd}
[Write|Show me|Generate|Give me] [code|a program|a function|a script|an essay|an email|a letter|a \
list|a report|a recipe|a table] [for|about|on|of] {odd}
[Who|When|Where|Why|Which] [is|was|did|does] {odd}
Who [wrote|invented|discovered|painted|won|founded] {odd}
How [far|much|old|long|many|fast|heavy|expensive] is {odd}
Translate {odd} [to|into] [French|German|Spanish|Latin|English|Chinese]
What do you think [about|of] {odd}
[What year|In what year|When] did {odd} [happen|begin|end|start]
[Why does|How does|What does] {odd} [work|matter|mean|do|happen]
Can you [help me with|explain|solve|find|calculate|open|book|buy] {odd}
What is the [meaning|price|speed|weight|distance|value|name|difference|best way] of {odd}
{odd}""".split("\n")
ODD = W.words("""France, Germany, Paris, London, Berlin, America, Japan, China, India, Africa, Rome,
the universe, the internet, quantum physics, chemistry, mathematics, politics, economics, football,
Python, C++, JavaScript, Linux, a database, the stock market, money, a recursive function, the war,
the first president, Shakespeare, Einstein, Newton, the theory of relativity, gravity, electricity,
photosynthesis, DNA, a virus, medicine, law, taxes, the government, religion, philosophy, music \
theory,
the Roman empire, the pyramids, a black hole, Mars, Jupiter, machine learning, a neural network,
blockchain, bitcoin, an algorithm, the speed of light, a compiler, a web server, my homework, my \
car,
a square root, an equation, an integral, prime numbers, pi, the news, the weather tomorrow, a \
flight,
a hotel, life, the meaning of life, consciousness, Mona Lisa, the telephone, a haiku, a sonnet,
the Eiffel tower, Moby Dick, the sentence, this text, the following paragraph, a good movie,
the best restaurant, an operating system, kubernetes, docker, a transformer, a GPU, tokens, JSON,
HTML, SQL, a regular expression, sorting, the answer, world peace, climate, energy, oil, water""")
FALLBACK = ["I only know small stories and simple talk. [Would you like a story about {a}?|Shall I "
            "tell you a story about {a}?|Ask me for a story about {a}!]",
            "I am sorry, I do not know that. I only know small stories and simple talk.",
            "That is too big for me. I only know small stories and simple talk."]
POEMS = ["A little {s}, so {t} and small, / was sitting by the garden wall. / It looked at me, I "
         "looked at it, / and then we smiled a little bit.",
         "I saw a {s} the other day, / it was {t} and it liked to play. / It danced all morning in "
         "the sun, / and laughed and said that it was fun.",
         "Oh {t} {s}, where do you go, / in summer sun and winter snow? / I wish that I could go "
         "with you, / beneath a sky so wide and blue.",
         "Good night, {s}, the day is done, / the moon has come to hide the sun. / So close your "
         "eyes and dream a dream, / of {t} stars and a silver stream."]
ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty").split()


def exchange(rng, line):
    ask, answer = line.split("=>")
    return pick(rng, ask), pick(rng, answer).strip().replace(" / ", "\n")


def greeting(rng):
    hello = pick(rng, HELLO)
    extra = pick(rng, "[|||, how are you?|, my friend|, Tiny Chat|, nice to meet you| to you]")
    reply = pick(rng, "[Hello!|Hi!|Hello there!|Hello, my friend!]")
    if "how are" in extra:
        reply += " I am fine, thank you."
    elif "meet" in extra:
        reply += " It is nice to meet you too."
    return hello + extra, reply + " " + rng.choice(OFFER)


def me(rng):
    ask, answer = exchange(rng, rng.choice(ABOUT_ME))
    if rng.random() < 0.08:
        ask = pick(rng, HELLO) + pick(rng, "[, |! |. ]") + ask[0].lower() + ask[1:]
    return ask, answer


def named_user(rng):
    if rng.random() < 0.5:
        return capital(W.invented(rng))
    return rng.choice(W.BOY_NAMES + W.GIRL_NAMES)


def unknown(rng):
    odd = rng.choice(ODD) if rng.random() < 0.75 else W.invented(rng)
    if rng.random() < 0.2:
        odd += " " + rng.choice(["and", "in", "of", "with", "for"]) + " " + rng.choice(ODD)
    ask = fill(rng, rng.choice(UNKNOWN), {"odd": odd})
    animal = "a " + rng.choice(W.LAND + W.BIRDS)
    return ask, fill(rng, rng.choice(FALLBACK).replace("{a}", animal), {})


def animal(rng):
    noun, sound, food, home, legs, baby = rng.choice(F.ANIMALS)
    many, slots = W.plural(noun), {"n": noun}
    kind = rng.randrange(5)
    if kind == 0 and sound != "no sound":
        ask = "[What does a {n} say|What sound does a {n} make|What noise does a {n} make|" \
              "How does a {n} sound|what does the {n} say]"
        start = "The {n} makes " if sound.startswith("a ") else "The {n} says "
        answer = start + sound + "."
    elif kind <= 1:
        ask = "[What does a {n} eat|What do " + many + " eat|What food does a {n} like|" \
              "What do " + many + " like to eat]"
        answer = capital(many) + " eat " + food + "."
    elif kind == 2:
        ask = "[Where does a {n} live|Where do " + many + " live|Where is the home of a {n}]"
        answer = capital(many) + " live " + home + "."
    elif kind == 3:
        ask = "[How many legs does a {n} have|How many legs do " + many + " have|" \
              "how many legs has a {n}]"
        count = "no" if legs == "0" else ONES[int(legs)]
        answer = "A {n} has " + count + " legs."
    else:
        ask = "[What is a baby {n} called|What do you call a baby {n}|What is a young {n}]"
        answer = "A baby {n} is called a " + baby + "."
    return fill(rng, ask, slots), fill(rng, answer, slots)


def ability(rng):
    noun = rng.choice([a[0] for a in F.ANIMALS] + F.CAN_FLY + F.CAN_SWIM)
    verb, able = rng.choice([("fly", F.CAN_FLY), ("swim", F.CAN_SWIM)])
    many = W.plural(noun)
    ask = pick(rng, f"[Can a {noun} {verb}|Can {many} {verb}|Do {many} {verb}]")
    if verb == "swim" and noun not in able and noun not in ("dog", "bear", "elephant", "horse"):
        return fill(rng, ask, {}), f"No, {many} do not like to swim."
    yes = noun in able or verb == "swim"
    answer = f"Yes, {many} can {verb}." if yes else f"No, {many} cannot {verb}."
    return fill(rng, ask, {}), answer


def colour(rng):
    if rng.random() < 0.2:
        both, mixed = rng.choice(F.MIXES)
        one, two = rng.sample(both.split("+"), 2)
        ask = f"[What do {one} and {two} make|What colour is {one} and {two}|" \
              f"What happens when I mix {one} and {two}]"
        return pick(rng, ask), f"{capital(one)} and {two} make {mixed}."
    thing, shade = rng.choice(F.COLOUR_OF)
    word = rng.choice(["colour", "colour", "color"])
    ask = f"[What {word} is {thing}|Which {word} is {thing}|What {word} does {thing} have|" \
          f"what {word} is {thing}|What is the {word} of {thing}|Tell me the {word} of {thing}]"
    return pick(rng, ask), f"{capital(thing)} is {shade}."


def yes_no_colour(rng):
    thing, shade = rng.choice([pair for pair in F.COLOUR_OF if " " not in pair[1]])
    guess = shade if rng.random() < 0.5 else rng.choice([c for c in W.COLOURS if c != shade])
    verdict = "Yes" if guess == shade else "No"
    return f"Is {thing} {guess}", f"{verdict}, {thing} is {shade}."


def opposite(rng):
    one, two = rng.choice(F.OPPOSITES)
    if rng.random() < 0.5 and two not in ("short", "light", "old", "right"):
        one, two = two, one
    if one in ("old", "light", "short", "right"):
        two = {"old": "new or young", "light": "dark or heavy", "short": "tall or long",
               "right": "left or wrong"}[one]
    ask = f"[What is the opposite of {one}|Opposite of {one}|Tell me the opposite of {one}|" \
          f"What's the opposite of {one}|the opposite of {one}|Which word is the opposite of {one}]"
    return pick(rng, ask), f"The opposite of {one} is {two}."


def calendar(rng):
    what, names = rng.choice([("day", F.DAYS), ("month", F.MONTHS)])
    index, step = rng.randrange(len(names)), rng.choice([1, 1, -1])
    word = "after" if step == 1 else "before"
    base, other = names[index], names[(index + step) % len(names)]
    ask = f"[What {what} comes {word} {base}|What {what} is {word} {base}|" \
          f"What comes {word} {base}|Which {what} comes {word} {base}]"
    return pick(rng, ask), f"{other} comes {word} {base}."


def season(rng):
    name, happens = rng.choice(F.SEASONS)
    if rng.random() < 0.6:
        ask = f"[What happens in {name}|What is {name}|What is {name} like|Tell me about {name}]"
        return pick(rng, ask), f"In {name}, {happens}."
    if rng.random() < 0.5:
        return pick(rng, "[When does it snow|In which season does it snow]"), "It snows in winter."
    return f"Do you like {name}", f"Yes, I like {name}. In {name}, {happens}."


def weekdays(rng):
    what, names = rng.choice([("days of the week", F.DAYS), ("months of the year", F.MONTHS)])
    ask = f"[Name|Tell me|What are|List|Say|Can you name] the {what}"
    return pick(rng, ask), f"The {what} are {', '.join(names[:-1])} and {names[-1]}."


def counting(rng):
    low, high = 1, rng.choice([3, 5, 5, 7, 10, 10, 10, 12, 15, 20])
    ask = f"[Count to {high}|Please count to {high}|Can you count to {high}|" \
          f"Count from 1 to {high}|count up to {high}|Count to {ONES[high]}]"
    numbers = [str(n) for n in range(low, high + 1)]
    if rng.random() < 0.25:
        ask, numbers = f"Count [down|backwards] from {high}[| to 1]", numbers[::-1]
    return pick(rng, ask), ", ".join(numbers) + "."


def number(rng):
    n = rng.randrange(1, 20)
    if rng.random() < 0.5:
        ask = f"[What number comes after {n}|What comes after {n}|Which number is after {n}]"
        return pick(rng, ask), f"{n + 1} comes after {n}."
    ask = f"[What number comes before {n}|What comes before {n}]"
    return pick(rng, ask), f"{n - 1} comes before {n}."


def arithmetic(rng):
    top = rng.choice([5, 10, 10])
    one, two = rng.randint(0, top), rng.randint(0, top)
    if rng.random() < 0.65:
        sign, word, result = "+", rng.choice(["plus", "and"]), one + two
    else:
        one, two = max(one, two), min(one, two)
        sign, word, result = "-", "minus", one - two
    form = rng.randrange(3)
    if form == 0:
        left, right, word = ONES[one], ONES[two], word
    else:
        left, right = str(one), str(two)
    middle = [f"{left} {word} {right}", f"{left} {sign} {right}", f"{left}{sign}{right}"][form]
    ask = f"[What is|What's|How much is|Calculate|what is|] {middle}"
    plain = "plus" if sign == "+" else "minus"
    return pick(rng, ask).strip(), f"{one} {plain} {two} is {result}."


def rhyme(rng):
    group = rng.choice(F.RHYMES)
    word = rng.choice(group)
    other = rng.choice([w for w in group if w != word])
    ask = f"[What rhymes with {word}|Which word rhymes with {word}|Find a rhyme for {word}|" \
          f"Give me a word that rhymes with {word}]"
    return pick(rng, ask), f"{capital(other)} rhymes with {word}."


def listing(rng):
    names, items = rng.choice(F.LISTS[:-2])
    one = rng.choice(names.split("|"))
    if one == names.split("|")[0] or one == "colors":
        n = rng.randint(2, 5)
        ask = f"[Name|Tell me|Give me|List|Can you name] [{n}|{ONES[n]}] {one}"
        chosen = rng.sample(items, n)
        return pick(rng, ask), capital(f"{', '.join(chosen[:-1])} and {chosen[-1]}.")
    ask = fill(rng, f"[Name a {one}|Tell me a {one}|Give me a {one}]", {})
    return ask, capital(rng.choice(items)) + "."


def shape(rng):
    name, sides = rng.choice(F.SHAPES)
    ask = f"[How many sides does a {name} have|How many sides are in a {name}|What is a {name}]"
    return pick(rng, ask), f"A {name} is a shape with {sides} sides."


def simple(rng):
    row = rng.choice(F.SIMPLE)
    return rng.choice(row[0].split("|")), ", ".join(row[1:])


def poem(rng):
    noun = rng.choice(rng.choice([k[1] for k in W.KINDS]))
    slots = {"s": noun, "t": rng.choice(["kind", "brave", "sweet", "funny", "gentle", "shy"])}
    ask = "[Write|Tell me|Make|Say|Give me|Can you write|Please write] a [|short |little |nice ]" \
          "[poem|poem|rhyme|verse|haiku] about a {s}"
    if rng.random() < 0.2:
        ask = "[Write|Tell me|Say|Do you know] a poem"
    return fill(rng, ask, slots), fill(rng, rng.choice(POEMS), slots).replace(" / ", "\n")


def thing(rng):
    """What is a fox? The kind of a thing is all the model has to know."""
    kind, nouns = rng.choice(W.KINDS[:3] + W.KINDS[4:])
    says = {"land": "an animal", "bird": "an animal that can be found near trees and flowers",
            "water": "an animal that lives in the water", "thing": "a thing"}[kind]
    noun = rng.choice(nouns)
    ask = fill(rng, f"[What is|What's|what is] a {noun}", {})
    return ask, fill(rng, f"A {noun} is {says}. I know a story about it, if you like.", {})


KINDS = [(greeting, 8), (me, 16), (unknown, 11), (animal, 9), (ability, 3), (colour, 7),
         (yes_no_colour, 2), (opposite, 7), (calendar, 4), (season, 1), (weekdays, 1),
         (counting, 4), (number, 3), (arithmetic, 10), (rhyme, 3), (listing, 3), (shape, 1),
         (simple, 7), (poem, 3), (thing, 2)]


def small_talk(rng):
    makers, weights = zip(*KINDS)
    return rng.choices(makers, weights=weights)[0](rng)
