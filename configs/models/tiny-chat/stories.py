# SPDX-License-Identifier: Apache-2.0
"""Requests for a story, the story itself, and questions about it."""
import words as W
from grammar import capital, fill, pick
from plots import ANY_FACTS, ENDING, FACTS, MEET, MORALS, OPENING, PLOTS, TODAY

ASK = """[Tell|Please tell|Can you tell|Could you tell|Could you please tell|Would you tell] me a \
[||short |little |nice |bedtime |small |simple |good |fun ]story about {about}
[Tell|Please tell] [|me |us ]a [|short |little |nice ][story|tale] about {about}
[Write|Please write|Can you write|Make up|Please make up] [|me ]a [||short |little |nice \
][story|tale] about {about}
[I want|I would like|I'd like] [to hear |to read |]a [|short |nice ]story about {about}[| please|, \
please]
[A story|Story|A short story|Short story] about {about}[| please|, please]
[Do you know|Have you got|Do you have] a [|nice ]story about {about}
[Give|Read|Show] me a [|short |little ]story about {about}
[Let's hear|Let us hear|How about] a story about {about}
[Hello|Hi|Hey][|,|!] [|please |can you ]tell me a [|short ]story about {about}
Tell me about {about}
[Once upon a time there was {about}. Go on|Begin a story with {about}|Start a story about {about}]
Tell a story [in which|where] {about} is the hero
{about} story""".split("\n")
ASK_ANY = """[Tell|Please tell|Can you tell|Could you tell|Would you tell] me a [||short |little \
|nice |bedtime ]story
[Write|Please write|Make up|Please make up] [|me ]a [|short |little |nice ][story|tale]
[I want|I would like] [to hear |]a story[| please|, please]
[A story|Story|Story time|A bedtime story][|, please| please]
[Once upon a time|Tell me something|Tell me anything|Entertain me|I am bored|Do you know a \
story|Say something long]
[Can you tell stories|Do you know any stories|What can you tell me]
[Hello|Hi|Hey][|,|!] tell me a story""".split("\n")
ASK_MORE = """[Tell me another one|Another one|Another story|One more|One more \
story|Again|More][|, please| please]
[Tell me|I want|Please tell me] another story
Now [tell me |]a story about {about}
[And |][can you tell me |tell me |]another [story|one] about {about}
[And |]one about {about}[| please|, please]
[What about|How about] {about}""".split("\n")
PRAISE = ["[Thank you|Thanks|Thank you very much|Thanks a lot]", "[That was|What] a nice story",
          "[I liked|I like|I love] [that|it|the story]",
          "[Great|Very nice|Lovely|Beautiful|Good story]"]
PRAISE_REPLY = ["[You are welcome!|You are very welcome!|I am glad you liked it.|I am happy "
                "that you liked it.] [|Would you like another story?|Ask me any time.|"
                "Shall I tell you one more?]"]


def pronouns(boy, prefix=""):
    forms = ("he", "him", "his", "himself") if boy else ("she", "her", "her", "herself")
    return {prefix + key: form for key, form in zip(("he", "him", "his", "himself"), forms)}


def named(rng, noun, taken=""):
    boy = noun in W.HE_ONLY or (noun not in W.SHE_ONLY and rng.random() < 0.5)
    names = [n for n in (W.BOY_NAMES if boy else W.GIRL_NAMES) if n != taken]
    return boy, rng.choice(names)


def subject(rng):
    if rng.random() < 0.10:
        return rng.choice(["land", "person", "thing"]), W.invented(rng)
    kind, nouns = rng.choices(W.KINDS, weights=[34, 14, 9, 23, 20])[0]
    return kind, rng.choice(nouns)


def cast(rng):
    kind, noun = subject(rng)
    boy, name = named(rng, noun)
    helper = rng.choice([w for w in W.HELPERS if w != noun])
    hboy, hname = named(rng, helper, name)
    slots = {"subj": noun, "name": name, "trait": rng.choice(W.TRAITS), "helper": helper,
             "hname": hname, "htrait": rng.choice(W.HELPER_TRAITS),
             "place": rng.choice(W.PLACES[kind])}
    slots.update(pronouns(boy))
    slots.update(pronouns(hboy, "h"))
    slots["walked"], slots["walk"], slots["walking"] = rng.choice(W.GO[kind])
    return slots


def props(rng, slots):
    slots["skill"], slots["skilling"] = rng.choice(W.SKILLS)
    slots["dream"], slots["dreamplace"], slots["dreamsight"] = rng.choice(W.DREAMS)
    slots["seed"], slots["plant"] = rng.choice(W.SEEDS)
    lists = {"colour": W.COLOURS, "item": W.ITEMS, "food": W.FOODS, "spot": W.HIDING,
             "fear": W.FEARS, "build": W.BUILDS, "material": W.MATERIALS, "gift": W.GIFTS,
             "stuck": W.STUCK, "broke": W.BREAK}
    slots.update({key: rng.choice(values) for key, values in lists.items()})
    return slots


def tell(rng, slots, plot):
    lines = [rng.choice(OPENING)]
    for line in PLOTS[plot].strip().split("\n"):
        if not line.startswith("?") or rng.random() < 0.5:
            lines.append(line.lstrip("?"))
    lines.append(rng.choice(ENDING))
    text = " ".join(lines).replace("{today}", TODAY).replace("{meet}", MEET)
    return fill(rng, text, slots)


def about(rng, slots):
    """How the request names the subject, and so what the story must keep."""
    noun, roll = slots["subj"], rng.random()
    if roll < 0.40:
        return "a " + noun
    if roll < 0.48:
        return noun
    if 0.68 <= roll < 0.78 and rng.random() < 0.3:
        slots["name"] = capital(W.invented(rng))
    if roll < 0.54:
        return "[the|my|our|one] " + noun
    if roll < 0.60:
        return W.plural(noun)
    if roll < 0.68:
        return "a {trait} {subj}"
    if roll < 0.78:
        return "a {subj} [named|called] {name}"
    if roll < 0.86:
        return "a {subj} and a {helper}"
    if roll < 0.92:
        return "a {subj} {place}"
    if roll < 0.96:
        return "{name} the {subj}"
    return "a {subj} [named|called] {name} and a {helper} [named|called] {hname}"


HINTS = {"lost": "who lost {his} {item}", "fear": "who was afraid of {fear}",
         "share": "who shared {his} {food}", "build": "who built a {build}",
         "learn": "who learned to {skill}", "journey": "who wanted to {dream}",
         "seed": "who planted a {seed} seed", "race": "and a race", "storm": "in a storm",
         "honest": "who broke a {broke}", "gift": "and a birthday party"}


def request(rng, slots, plot, templates):
    what = about(rng, slots)
    if plot in HINTS and rng.random() < 0.12:
        what = "a {subj} " + HINTS[plot].replace("{his}", "[{his}|a]")
    return fill(rng, rng.choice(templates).replace("{about}", what), slots)


def topic_request(rng):
    topic = rng.choice(list(W.TOPICS))
    templates = [t for t in ASK if "hero" not in t and "Begin" not in t and "{about} s" not in t]
    return fill(rng, rng.choice(templates).replace("{about}", topic), {}), W.TOPICS[topic]


def story(rng, follow=False):
    """One request and its story, with what was decided about it."""
    slots, plot, roll = props(rng, cast(rng)), rng.choice(list(PLOTS)), rng.random()
    if roll < 0.08:
        ask, plot = topic_request(rng)
    elif roll < 0.16:
        any_ask = ASK_MORE[:2] if follow else ASK_ANY
        ask = pick(rng, rng.choice(any_ask))
    else:
        ask = request(rng, slots, plot, ASK_MORE[2:] if follow else ASK)
    text = tell(rng, slots, plot)
    if rng.random() < 0.12:
        ask += pick(rng, "[ with a moral|, with a moral| and its moral]")
        text += " The moral of the story is: " + MORALS[plot]
    return ask, text, slots, plot


def question(rng, slots, plot):
    """A question about the story just told, with its answer."""
    facts = ANY_FACTS + FACTS[plot] * 2
    asks, answers = rng.choice(facts)
    if rng.random() < 0.12:
        asks = "What is the moral?|What is the moral of the story?|What do we learn from it?"
        answers = MORALS[plot]
    return (fill(rng, rng.choice(asks.split("|")), slots),
            fill(rng, rng.choice(answers.split("|")), slots))
