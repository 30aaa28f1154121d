# SPDX-License-Identifier: Apache-2.0
"""What the small world knows, beside stories: animals, colours, opposites, days, rhymes."""


def table(text):
    return [tuple(part.strip() for part in line.split(",")) for line in text.strip().split("\n")]


def pairs(text):
    return [tuple(pair.split()) for pair in text.replace("\n", " ").split(",") if pair.strip()]


# noun, sound, food, home, legs, baby
ANIMALS = table("""
dog, woof, meat and bones, in a house, 4, puppy
cat, meow, fish and milk, in a house, 4, kitten
cow, moo, grass, on a farm, 4, calf
pig, oink, corn, on a farm, 4, piglet
sheep, baa, grass, on a farm, 4, lamb
goat, meh, leaves, on a farm, 4, kid
horse, neigh, hay, in a stable, 4, foal
donkey, hee-haw, hay, in a stable, 4, foal
duck, quack, plants, on a pond, 2, duckling
hen, cluck, seeds, on a farm, 2, chick
rooster, cock-a-doodle-doo, seeds, on a farm, 2, chick
goose, honk, grass, on a farm, 2, gosling
frog, ribbit, flies, in a pond, 4, tadpole
bee, buzz, honey, in a hive, 6, larva
owl, hoo hoo, mice, in a tree, 2, owlet
lion, roar, meat, in the grassland, 4, cub
tiger, roar, meat, in the jungle, 4, cub
wolf, howl, meat, in the forest, 4, cub
bear, growl, berries and honey, in a cave, 4, cub
fox, yip, mice and berries, in a den, 4, cub
mouse, squeak, cheese and seeds, in a hole, 4, pup
snake, hiss, mice, in the grass, 0, snakelet
crow, caw, seeds, in a tree, 2, chick
bird, tweet, seeds and worms, in a nest, 2, chick
elephant, a loud trumpet, leaves and grass, in the grassland, 4, calf
monkey, ooh ooh, bananas, in the jungle, 4, infant
rabbit, a soft squeak, carrots and grass, in a burrow, 4, bunny
squirrel, a small chatter, nuts, in a tree, 4, pup
hedgehog, a small snuffle, worms, under a bush, 4, hoglet
deer, a soft bleat, grass and leaves, in the forest, 4, fawn
penguin, a loud honk, fish, on the ice, 2, chick
panda, a soft bleat, bamboo, in the forest, 4, cub
fish, no sound, small plants, in the water, 0, fry
whale, a long song, tiny fish, in the sea, 0, calf
spider, no sound, flies, in a web, 8, spiderling
ant, no sound, seeds and crumbs, in an anthill, 6, larva
butterfly, no sound, sweet nectar, among the flowers, 6, caterpillar
turtle, a quiet hiss, plants, in the water, 4, hatchling
giraffe, a low hum, leaves, in the grassland, 4, calf
camel, a low groan, dry grass, in the desert, 4, calf
""")
CAN_FLY = "bird owl duck goose crow bee butterfly robin eagle parrot bat pigeon swan".split()
CAN_SWIM = "fish whale duck frog penguin turtle dolphin shark seal otter swan goose".split()

COLOUR_OF = table("""
the sky, blue
grass, green
the sun, yellow
snow, white
a banana, yellow
a lemon, yellow
a tomato, red
a strawberry, red
blood, red
a carrot, orange
an orange, orange
a pumpkin, orange
a frog, green
a leaf, green
the sea, blue
milk, white
coal, black
the night, black
chocolate, brown
a bear, brown
a polar bear, white
a crow, black
a flamingo, pink
a pig, pink
an elephant, grey
a mouse, grey
a cloud, white
a rose, red
a violet, purple
a grape, purple
a cherry, red
a fox, red and orange
an apple, red or green
a zebra, black and white
a panda, black and white
wood, brown
gold, yellow
an egg, white or brown
""")
MIXES = pairs("""red+blue purple, red+yellow orange, blue+yellow green, red+white pink,
black+white grey, red+green brown""")

OPPOSITES = pairs("""big small, hot cold, up down, fast slow, happy sad, day night, good bad, old \
new,
old young, tall short, long short, wet dry, hard soft, light dark, light heavy, open closed, left \
right,
in out, full empty, loud quiet, early late, high low, black white, yes no, rich poor, strong weak,
clean dirty, near far, first last, begin end, start stop, come go, give take, win lose, love hate,
friend enemy, brave afraid, sweet sour, thick thin, wide narrow, deep shallow, right wrong, true \
false,
push pull, buy sell, ask answer, laugh cry, north south, east west, summer winter, before after,
above below, inside outside, front back, always never, more less, many few, asleep awake, kind mean,
easy difficult, smooth rough, sharp blunt, alive dead, boy girl, man woman, king queen""")

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
SEASONS = [("spring", "the flowers bloom and the birds sing"),
           ("summer", "the sun is hot and the days are long"),
           ("autumn", "the leaves fall and the wind blows"),
           ("winter", "the snow falls and the nights are long")]
RHYMES = [line.split() for line in """cat hat bat mat rat
dog frog log fog
mouse house
bear chair hair pear
fox box socks
tree bee sea me
night light bright kite
moon spoon soon June
star car far jar
rain train plane
ball tall wall fall
sun fun run bun
sky fly high pie
day play say way
king ring sing wing
boat goat coat
cake lake snake
fish dish wish
hen pen ten men
bed red head""".split("\n")]

LISTS = [("fruits|fruit", "apples pears bananas cherries plums grapes lemons peaches".split()),
         ("animals|animal", "dogs cats foxes bears rabbits owls lions elephants horses".split()),
         ("farm animals|farm animal", "cows pigs sheep goats hens horses".split()),
         ("colours|colour|colors|color", "red blue green yellow orange purple pink white".split()),
         ("birds|bird", "owls robins crows eagles parrots ducks swans".split()),
         ("vegetables|vegetable", "carrots peas beans potatoes tomatoes onions".split()),
         ("shapes|shape", "circles squares triangles rectangles stars".split()),
         ("toys|toy", "balls dolls kites puzzles drums".split()),
         ("flowers|flower", "roses tulips daisies sunflowers violets".split()),
         ("days|days of the week", DAYS), ("months|months of the year", MONTHS)]
SHAPES = [("triangle", "three"), ("square", "four"), ("rectangle", "four"), ("circle", "no"),
          ("pentagon", "five"), ("hexagon", "six"), ("star", "ten")]

SIMPLE = table("""
How many days are in a week?|How many days are there in a week?|how many days has a week, There \
are seven days in a week.
How many months are in a year?|How many months are there in a year?, There are twelve months in a \
year.
How many seasons are there?|What are the four seasons?|What are the seasons?, There are four \
seasons: spring and summer and autumn and winter.
How many fingers do I have?|How many fingers are on a hand?, You have five fingers on each hand \
and ten in all.
How many eyes do I have?|How many eyes do you need to see?, People have two eyes.
How many legs do I have?|How many legs does a person have?, People have two legs.
What is the sun?|what's the sun, The sun is a big and hot star that gives us light.
What is the moon?|what's the moon, The moon is a round rock that shines in the night sky.
What is a star?|What are stars?, A star is a far away sun that looks like a small light.
What is rain?|What is the rain?, Rain is water that falls from the clouds.
What is snow?, Snow is frozen water that falls in soft white flakes.
What is a rainbow?, A rainbow is a bridge of colours in the sky. It comes when the sun shines \
through the rain.
What is a friend?|What is friendship?, A friend is someone who likes you and helps you.
What is love?, Love is when you care for someone very much.
What is a book?, A book has many pages with words and pictures.
What is a tree?, A tree is a tall plant with roots and a trunk and leaves.
What is a house?, A house is a place where people live.
What is ice?, Ice is water that is very cold and hard.
What is the sea?|What is the ocean?, The sea is a very big place full of salt water.
What is a cloud?, A cloud is made of tiny drops of water in the sky.
What is milk?|Where does milk come from?, Milk is a white drink that comes from cows.
Where does honey come from?|Who makes honey?|What is honey?, Bees make honey from flowers.
Where do eggs come from?|Who lays eggs?, Hens lay eggs.
Where does bread come from?|What is bread?, Bread is made from flour and water and baked in an oven.
Where does rain come from?, Rain comes from the clouds.
When does the sun rise?|When does the sun come up?, The sun comes up in the morning.
When do we sleep?|When do people sleep?, We sleep at night.
When do we eat breakfast?, We eat breakfast in the morning.
Why is the sky blue?, The light of the sun is spread by the air and blue light is spread the most.
Why do we sleep?, We sleep so that we can rest and grow.
Why do birds sing?, Birds sing to talk to other birds.
Why do leaves fall?, Leaves fall in autumn because the trees rest in winter.
Why do we eat?, We eat so that we can grow and be strong.
What is the biggest animal?|What is the largest animal?|Which animal is the biggest?, The blue \
whale is the biggest animal.
What is the tallest animal?|Which animal is the tallest?, The giraffe is the tallest animal.
What is the fastest animal?, The cheetah is the fastest animal on land.
What is the king of the animals?|Who is the king of the jungle?, The lion is called the king of \
the animals.
Which animal has a long nose?|Who has a trunk?, The elephant has a long nose called a trunk.
Which animal has a long neck?, The giraffe has a very long neck.
Which animal says moo?|Who says moo?, The cow says moo.
Which animal says woof?|Who says woof?, The dog says woof.
Which animal says meow?|Who says meow?, The cat says meow.
Which animal says quack?|Who says quack?, The duck says quack.
What do we drink?|What do people drink?, We drink water and milk and tea.
What do people eat?|What do we eat?, We eat bread and soup and fruit and many other things.
What do you wear in winter?|What do we wear when it is cold?, We wear a warm coat and a hat and a \
scarf.
What do you do when it rains?, When it rains you can take an umbrella or stay inside and read a \
book.
What comes first: the chicken or the egg?, Nobody knows but both are nice.
Is the sun hot?, Yes. The sun is very hot.
Is ice cold?|Is snow cold?, Yes. It is very cold.
Is fire hot?|Is fire cold?, Fire is very hot. Do not touch it!
Is water wet?, Yes. Water is wet.
Is an elephant big?|Is a whale big?, Yes. It is very big.
Is a mouse big?|Is an ant big?, No. It is very small.
Is the moon made of cheese?, No. The moon is made of rock but it is a funny idea.
""")
