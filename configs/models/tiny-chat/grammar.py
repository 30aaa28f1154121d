# SPDX-License-Identifier: Apache-2.0
"""Templates: `[a|b]` picks one, `{slot}` inserts a word, `{Slot}` inserts it with a capital."""
import re

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
ARTICLE = re.compile(r"\b([Aa]) (?=([A-Za-z]+))")
SOUNDS_CONSONANT = ("uni", "use", "one", "once", "euro")
SOUNDS_VOWEL = ("honest", "hour")


def pick(rng, template):
    """Resolves the innermost choices first, so they may nest."""
    while True:
        match = CHOICE.search(template)
        if not match:
            return template
        option = rng.choice(match.group(1).split("|"))
        template = template[:match.start()] + option + template[match.end():]


def capital(text):
    return text[:1].upper() + text[1:]


def article(match):
    word = match.group(2).lower()
    vowel = word[0] in "aeiou" and not word.startswith(SOUNDS_CONSONANT)
    vowel = vowel or word.startswith(SOUNDS_VOWEL)
    return match.group(1) + ("n " if vowel else " ")


def fill(rng, template, slots):
    def value(match):
        key = match.group(1)
        return slots[key] if key in slots else capital(slots[key[0].lower() + key[1:]])

    text = SLOT.sub(value, pick(rng, template))
    return re.sub(r"  +", " ", ARTICLE.sub(article, text)).strip()
