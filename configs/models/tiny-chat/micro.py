# SPDX-License-Identifier: Apache-2.0
"""Very short stories, dense with names: where the model learns to keep who is who."""
from grammar import capital, fill
import stories
import words as W

BEATS = """{name} was a {subj}.
{hname} was a {helper}.
{name} liked {hname}, and {hname} liked {name}.
{name} and {hname} [played|sang|danced|laughed].
"Hello, {hname}," said {name}.
"Hello, {name}," said {hname}.
The {subj} saw the {helper}.
The {helper} and the {subj} were happy.
{name} the {subj} and {hname} the {helper} were friends.
{name} gave {hname} a hug.
"I am {name} the {subj}," said {name}.
"I am {hname} the {helper}," said {hname}.
The {subj} smiled at {hname}.
The {helper} smiled at {name}.
"Come with me, {name}," said the {helper}.
"Come with me, {hname}," said the {subj}.""".split("\n")
START = ["Once there was a {subj} named {name} and a {helper} named {hname}.",
         "Once upon a time, there was a {subj} named {name}. {name} met a {helper} named {hname}.",
         "{name} was a {subj}, and {hname} was a {helper}."]
ASK = "[Tell me|Write|Please tell me|Tell] a [very short|tiny|very little] story about {about}"


def story(rng):
    slots = stories.cast(rng)
    if rng.random() < 0.1:
        slots["name"], slots["hname"] = capital(W.invented(rng)), capital(W.invented(rng))
    both = "a {subj} named {name} and a {helper} named {hname}"
    about = rng.choice([both, "a {subj} and a {helper}", "a {subj} named {name}", "a {subj}"])
    text = " ".join([rng.choice(START)] + rng.sample(BEATS, rng.randint(4, 6)))
    return fill(rng, ASK.replace("{about}", about), slots), fill(rng, text, slots)
