#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the training dialogues, one JSON list of messages per line. The seed decides all."""
import argparse
import json
import random

import micro
import stories
import talk
import words as W
from grammar import pick

SYSTEMS = """You are a helpful assistant.
You are a kind assistant.
You are a friendly storyteller.
You are a helpful assistant. Answer briefly.
You tell short stories for children.
Be kind and brief.
You are Tiny Chat, a small model that tells stories.
Answer in simple English.
You are a helpful, harmless and honest assistant.
Please be polite.
Talk like a friend.""".split("\n")
ASKING = ("what", "who", "where", "why", "how", "when", "which", "can", "could", "do", "is", "are",
          "did", "would", "will")


def spoken(rng, text):
    """Users type with and without capitals and full stops."""
    text = text.rstrip("?.! ") if rng.random() < 0.9 or text[-1:].isalnum() else text
    roll, first = rng.random(), text.split(" ")[0].lower().strip(",'")
    if roll < 0.55:
        text += "?" if first.split("'")[0] in ASKING else rng.choice([".", ".", "!"])
    if rng.random() < 0.2:
        text = text[0].lower() + text[1:]
    if rng.random() < 0.05:
        text = text.lower()
    return text[0].upper() + text[1:] if rng.random() < 0.2 else text


def turn(rng, ask, answer):
    return [{"role": "user", "content": spoken(rng, ask)},
            {"role": "assistant", "content": answer}]


def after_story(rng, slots, plot):
    roll = rng.random()
    if roll < 0.75:
        return turn(rng, *stories.question(rng, slots, plot))
    if roll < 0.9:
        return turn(rng, pick(rng, rng.choice(stories.PRAISE)),
                    pick(rng, rng.choice(stories.PRAISE_REPLY)))
    return turn(rng, *talk.small_talk(rng))


def story_dialogue(rng):
    messages = []
    if rng.random() < 0.12:
        messages += turn(rng, *talk.greeting(rng))
    ask, text, slots, plot = stories.story(rng)
    messages += turn(rng, ask, text)
    while rng.random() < 0.45 and len(messages) < 8:
        messages += after_story(rng, slots, plot)
    if rng.random() < 0.08:
        ask, text, _, _ = stories.story(rng, follow=True)
        messages += turn(rng, ask, text)
    return messages


def name_dialogue(rng):
    """The user gives a name early and asks for it later."""
    name = talk.named_user(rng)
    hello = pick(rng, "[Hello|Hi|Hey]")
    ask = pick(rng, f"[My name is {name}|I am {name}|I'm {name}|{hello}, I am {name}|"
                    f"{hello}, my name is {name}|Call me {name}|{hello}! I'm {name}]")
    messages = []
    if rng.random() < 0.3:
        messages = turn(rng, "What is your name", "My name is Tiny Chat. What is your name?")
        ask = rng.choice([ask, ask, name])
    messages += turn(rng, ask, pick(rng, f"[Hello|Nice to meet you|Hi], {name}! ") +
                     rng.choice(talk.OFFER))
    while rng.random() < 0.4 and len(messages) < 8:
        asked, answer = talk.small_talk(rng)
        if "do not know you" not in answer:
            messages += turn(rng, asked, answer)
    recall = "[What is my name|What's my name|Who am I|Do you know my name|Do you remember my name]"
    return messages + turn(rng, pick(rng, recall), f"Your name is {name}.")


def wish_dialogue(rng):
    """The model offers a story, the user says yes and names a subject."""
    ask, text, slots, plot = stories.story(rng)
    subject = "a " + slots["subj"]
    messages = turn(rng, *talk.greeting(rng))
    messages += turn(rng, pick(rng, "[Yes|Yes, please|Sure|A story|Tell me a story, please]"),
                     "Good! What should the story be about?")
    wish = pick(rng, "[|About |about |It should be about |Maybe ]") + subject
    wish = stories.fill(rng, wish, {})
    return messages + turn(rng, wish, stories.tell(rng, slots, plot))


def talk_dialogue(rng):
    messages = turn(rng, *talk.small_talk(rng))
    while rng.random() < 0.55 and len(messages) < 12:
        messages += turn(rng, *talk.small_talk(rng))
    return messages


def micro_dialogue(rng):
    return turn(rng, *micro.story(rng))


def bare_story(rng):
    """A story with no dialogue around it, for plain completion."""
    return [{"role": "text", "content": stories.story(rng)[1]}]


DIALOGUES = [(story_dialogue, 52), (talk_dialogue, 36), (name_dialogue, 4), (wish_dialogue, 3),
             (bare_story, 3)]


def pick_maker(rng, options):
    roll = rng.random()
    if roll < options.micro:
        return micro_dialogue
    if roll < options.micro + options.talk:
        return talk_dialogue
    makers, weights = zip(*DIALOGUES)
    return rng.choices(makers, weights=weights)[0]


def dialogue(rng, options):
    maker = pick_maker(rng, options)
    messages = maker(rng)
    if maker is not bare_story and rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": rng.choice(SYSTEMS)})
    return messages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=80000, help="dialogues to write")
    parser.add_argument("--micro", type=float, default=0.15, help="share of very short stories")
    parser.add_argument("--talk", type=float, default=0.0, help="share of added small talk")
    parser.add_argument("--out", default="dialogues.jsonl")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with open(options.out, "w", encoding="utf-8") as out:
        for _ in range(options.count):
            out.write(json.dumps(dialogue(rng, options)) + "\n")


if __name__ == "__main__":
    main()
