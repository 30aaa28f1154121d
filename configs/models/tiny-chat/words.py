# SPDX-License-Identifier: Apache-2.0
"""The words of the small world: who can be in a story, where, and with what."""


def words(text):
    return [w.strip() for w in " ".join(text.split()).split(",") if w.strip()]


LAND = words("""fox, bear, rabbit, mouse, cat, dog, wolf, deer, hedgehog, squirrel, badger, lion, \
tiger,
elephant, monkey, giraffe, zebra, panda, koala, kangaroo, horse, pony, cow, pig, sheep, lamb, goat,
donkey, puppy, kitten, bunny, mole, frog, toad, turtle, tortoise, lizard, snake, snail, hamster,
raccoon, beaver, otter, camel, hippo, rhino, leopard, moose, mule, rat, porcupine, sloth, llama,
crocodile, chipmunk, weasel, lynx, bison, piglet, cub, calf, fawn, foal, dinosaur, spider, ant,
worm, caterpillar, cricket, beetle""")
BIRDS = words("""owl, duck, goose, hen, rooster, chick, swan, crow, robin, sparrow, eagle, parrot,
penguin, pigeon, peacock, duckling, raven, hawk, stork, turkey, blackbird, seagull, woodpecker,
bird, bat, bee, butterfly, ladybug, firefly, dragonfly, moth""")
WATER = words("""fish, whale, dolphin, seal, shark, crab, octopus, goldfish, starfish, seahorse,
salmon, jellyfish, lobster, walrus, eel, tadpole""")
FANTASY = words("""dragon, unicorn, fairy, giant, wizard, witch, elf, mermaid, troll, ghost, \
monster,
dwarf, goblin, phoenix, knight, king, queen, prince, princess, pirate, magician""")
PEOPLE = words("""girl, boy, farmer, baker, teacher, sailor, gardener, painter, doctor, shepherd,
fisherman, cook, singer, dancer, astronaut, clown, child, nurse, tailor, miller, carpenter, postman,
student, scientist, explorer, grandmother, grandfather, musician, builder, poet, hunter, captain,
programmer, firefighter, woman, man, engineer, soldier, driver, pilot, shoemaker, librarian, kid,
detective, policeman, chef, writer, artist, merchant, thief, hero, ninja, mother, father, baby""")
THINGS = words("""robot, kite, boat, train, teapot, snowman, cloud, star, toy car, teddy bear, doll,
lamp, candle, umbrella, balloon, car, bus, bicycle, clock, pencil, book, shoe, hat, cup, spoon,
tree, flower, leaf, river, stone, mountain, moon, sun, raindrop, snowflake, apple, pumpkin, seed,
computer, rocket, tractor, truck, house, lighthouse, windmill, piano, drum, violin, broom, chair,
bell, puppet, scarecrow, pancake, cookie, potato, carrot, pizza, cake, sock, button, key, door,
ship, plane, airplane, machine, phone, television, pillow, blanket, wave, wind, rainbow, shadow,
bridge, banana, egg, cheese, mushroom, acorn, ball, box, bottle, plugin, server, model""")
KINDS = [("land", LAND), ("bird", BIRDS), ("water", WATER), ("person", FANTASY + PEOPLE),
         ("thing", THINGS)]
HELPERS = [w for w in LAND + BIRDS + WATER if w not in ("cub", "calf", "chick", "worm", "bird")]

BOY_NAMES = words("""Max, Tom, Leo, Ben, Sam, Oliver, Jack, Felix, Hugo, Oscar, Toby, Finn, Milo, \
Theo,
Henry, Charlie, Rusty, Bruno, Pip, Jasper, Barnaby, Otto, Archie, Noah, George, Peter, Teddy, Louis,
Arthur, Simon, Ralph, Walter, Percy, Albert, Freddie, Buddy, Rufus, Casper, Ned, Dexter""")
GIRL_NAMES = words("""Lily, Mia, Rosie, Ruby, Daisy, Emma, Bella, Luna, Poppy, Anna, Ella, Molly, \
Sophie,
Nora, Clara, Tilly, Hazel, Ivy, Lucy, Zoe, Maya, Alice, Pearl, Willow, Grace, Penny, Olive, Flora,
Dora, Mabel, Holly, Stella, Violet, Ada, Greta, Nina, Fern, Betty, Coco, Winnie""")
HE_ONLY = words("""king, prince, boy, rooster, fisherman, postman, wizard, grandfather, knight, \
snowman,
man, policeman, father""")
SHE_ONLY = words("""queen, princess, girl, hen, cow, witch, mermaid, fairy, grandmother, woman,
mother""")

TRAITS = words("""little, small, kind, brave, clever, shy, happy, curious, cheerful, gentle, \
playful,
sleepy, funny, friendly, quiet, lonely, busy, hungry, lazy, grumpy, young, old, tiny, proud, silly,
careful, honest, patient, big, sad, fast, slow, lost, magic, red, blue, white, black, green, brown,
golden, pink, purple""")
HELPER_TRAITS = words("""wise old, kind, clever, friendly, old, gentle, cheerful, young, quiet, big,
tiny""")

PLACES = {
    "land": words("""in a green forest, on a small farm, near a quiet river, under a big oak tree, \
at
the edge of the woods, in a cosy den, behind a tall hill, in a sunny meadow, in a little village,
in the mountains, near a deep lake, in a garden full of flowers, in the jungle, by the sea"""),
    "bird": words("""in a tall tree, on a small farm, by a quiet pond, in a green forest, on a high
cliff, near an old mill, in a garden full of flowers, on the roof of a barn, by the sea"""),
    "water": words("""in the deep blue sea, in a clear lake, in a small river, near a coral reef, \
in a
quiet pond, by a sandy beach, under an old bridge"""),
    "person": words("""in a little village, in a small house by the sea, on a small farm, in a big
city, in a castle on a hill, at the edge of the woods, in a cottage near the river, in the \
mountains,
on a quiet street, in a garden full of flowers, in a tall tower"""),
    "thing": words("""in a little village, in a small shop, in an old house, on a quiet street, in \
a big
city, on a small farm, at the top of a hill, in a garden full of flowers, by the sea"""),
}
GO = {  # past tense, base form, name of the action
    "land": [("walked", "walk", "walking"), ("ran", "run", "running")],
    "bird": [("flew", "fly", "flying"), ("hopped", "hop", "hopping")],
    "water": [("swam", "swim", "swimming")],
    "person": [("walked", "walk", "walking"), ("ran", "run", "running")],
    "thing": [("went", "go", "going"), ("travelled", "travel", "travelling")],
}
COLOURS = words("""red, blue, green, yellow, orange, purple, pink, white, brown, golden, silver,
black""")
ITEMS = words("""ball, hat, scarf, key, book, bell, ring, blanket, kite, lamp, drum, basket, map,
whistle, button, cup, flute, ribbon, toy boat, umbrella, stone, shell, coin, mirror, necklace,
feather, watch, pillow, spoon, crown""")
FOODS = words("""apples, berries, nuts, carrots, pears, cookies, plums, cherries, buns, pancakes,
mushrooms, bread, honey, soup, cake, strawberries, peaches, grapes""")
HIDING = words("""under a bush, behind a big rock, in a pile of leaves, at the bottom of the hill, \
under
the old bridge, in the tall grass, inside a hollow log, beside the well, next to the fence, in a
flower pot, under a mushroom, behind the door of the barn, between two roots, on top of a wall""")
FEARS = words("""the dark, thunder, deep water, high places, loud noises, strangers, the big dog, \
the
wind, being alone, shadows, spiders, the long night""")
SKILLS = [("sing", "singing"), ("dance", "dancing"), ("swim", "swimming"), ("paint", "painting"),
          ("read", "reading"), ("cook", "cooking"), ("climb", "climbing"), ("whistle", "whistling"),
          ("juggle", "juggling"), ("skate", "skating"), ("write", "writing"), ("bake", "baking"),
          ("play the drum", "playing the drum"), ("play the flute", "playing the flute"),
          ("ride a bicycle", "riding a bicycle"), ("tell jokes", "telling jokes"),
          ("count to one hundred", "counting"), ("draw", "drawing"), ("jump", "jumping")]
BUILDS = words("""house, boat, bridge, tower, nest, raft, swing, castle of sand, tree house, \
fence, cart,
tent, bench, shelter""")
MATERIALS = words("wood, stones, sticks, straw, clay, old boxes, branches, bricks, leaves and mud")
GIFTS = words("""card, cake, scarf, song, basket of berries, picture, crown of flowers, necklace of
shells, wooden toy, warm hat, pie, little book""")
DREAMS = [("see the sea", "the sea", "The water was wide and blue, and the waves sang softly"),
          ("touch the moon", "the highest hill", "The moon shone big and round, just above"),
          ("find the end of the rainbow", "the end of the rainbow",
           "There was no gold, but a field full of bright flowers"),
          ("see the snow", "the white mountains", "The snow was cold and soft and shiny"),
          ("visit the city", "the city", "There were lights and music in every street"),
          ("see the stars up close", "the top of the mountain",
           "The stars looked like a thousand little lamps"),
          ("hear the oldest tree speak", "the oldest tree", "The leaves whispered a very old song"),
          ("find the secret garden", "the secret garden",
           "There were roses and birds and a small fountain")]
STUCK = words("""in the mud, in a thorn bush, in a net, in a deep hole, between two rocks, under a
fallen branch, at the top of a tree, on a small island""")
BREAK = words("vase, window, cup, plate, clock, fence, lantern, mirror, pot, chair, jar of honey")
SEEDS = [("sunflower", "a tall sunflower"), ("apple", "a small apple tree"),
         ("pumpkin", "a huge pumpkin"), ("rose", "a lovely red rose"),
         ("bean", "a long green bean"),
         ("oak", "a strong little oak"), ("cherry", "a pretty cherry tree"),
         ("tomato", "a plant full of red tomatoes")]
TOPICS = {"friendship": "lost", "courage": "fear", "sharing": "share", "helping": "stuck",
          "not giving up": "build", "a storm": "storm", "learning": "learn",
          "saying sorry": "quarrel", "a journey": "journey", "a birthday": "gift",
          "patience": "seed", "a race": "race", "honesty": "honest", "kindness": "share",
          "bravery": "fear", "an adventure": "journey", "a friend": "stuck", "a party": "gift",
          "the weather": "storm", "a dream": "journey"}
IRREGULAR = {"mouse": "mice", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "fish": "fish",
             "goose": "geese", "calf": "calves", "elf": "elves", "thief": "thieves",
             "dwarf": "dwarves", "fisherman": "fishermen", "postman": "postmen", "man": "men",
             "snowman": "snowmen", "child": "children", "leaf": "leaves", "woman": "women",
             "policeman": "policemen", "goldfish": "goldfish", "starfish": "starfish",
             "jellyfish": "jellyfish", "moose": "moose", "salmon": "salmon", "bison": "bison",
             "potato": "potatoes", "hero": "heroes"}
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


def plural(noun):
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def invented(rng):
    """A word that does not exist, so that the model learns to copy instead of to recall."""
    parts = [rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(2, 3))]
    return "".join(parts) + rng.choice(["", "", "n", "k", "l", "r", "t", "x"])
