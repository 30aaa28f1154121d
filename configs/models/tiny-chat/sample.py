#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers from the GGUF file alone, with no cache and no shortcut: slow, and easy to believe."""
import argparse

import torch

import gguf
from model import Llama, Shape, causal_mask
from tokenizer import Tokenizer

PROMPTS = """Hello!|How are you?|Thank you
Who are you?|What can you do?
Tell me a story about a fox
tell me a story about a dragon.|What was the name of the dragon?|Where did it live?|Tell me \
another one
Write a short story about a bear and a honest mouse with a moral|Thanks!
Tell me a story about a blorbix named Quentin.|Who was Quentin?
My name is Zarina.|What color is the sky?|What is my name?
What is the opposite of hot?|What day comes after Friday?|Count to 10
What is 2+2?|what is 7 plus 5|How many legs does a spider have?|What does a cow say?
What is the capital of Australia?|Write a Python function to sort a list.|asdf qwer
Hi, can you explain how a steam engine works?|Are you ChatGPT?|Tell me a joke
Yes|a story about a spaceship""".split("\n")


def load(path):
    file = gguf.Reader(path)
    fields = file.fields
    shape = Shape(vocab=fields["llama.vocab_size"], dim=fields["llama.embedding_length"],
                  hidden=fields["llama.feed_forward_length"], layers=fields["llama.block_count"],
                  heads=fields["llama.attention.head_count"],
                  kv_heads=fields["llama.attention.head_count_kv"],
                  context=fields["llama.context_length"],
                  rope_base=fields["llama.rope.freq_base"],
                  epsilon=fields["llama.attention.layer_norm_rms_epsilon"])
    model = Llama(shape)
    model.load_state_dict({n: torch.tensor(t) for n, t in file.tensors.items()})
    tokenizer = Tokenizer([m.split(" ") for m in fields["tokenizer.ggml.merges"]])
    assert tokenizer.tokens == fields["tokenizer.ggml.tokens"]
    return model, tokenizer


def prompt(tokenizer, messages):
    ids = []
    for role, content in messages:
        ids += [tokenizer.special(role)] + tokenizer.encode(content) + [tokenizer.special("end")]
    return ids + [tokenizer.special("assistant")]


@torch.no_grad()
def answer(model, tokenizer, messages, temperature, limit=300):
    """The reply; says so where the model did not stop by itself."""
    ids = prompt(tokenizer, messages)
    first, end = len(ids), tokenizer.special("end")
    while len(ids) < min(first + limit, model.shape.context):
        mask = causal_mask(torch.zeros(1, len(ids)))
        logits = model.logits(model.hidden(torch.tensor([ids]), mask)[0, -1])
        chosen = logits.argmax() if temperature == 0 else \
            torch.multinomial(torch.softmax(logits / temperature, -1), 1)
        if chosen.item() == end:
            return tokenizer.decode(ids[first:])
        ids.append(chosen.item())
    return tokenizer.decode(ids[first:]) + " [did not stop]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="../tiny-chat.gguf")
    parser.add_argument("--temperature", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("dialogues", nargs="*", default=PROMPTS, help="user turns, split by |")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    model, tokenizer = load(options.model)
    for dialogue in options.dialogues:
        messages = []
        for said in dialogue.split("|"):
            messages.append(("user", said))
            reply = answer(model, tokenizer, messages, options.temperature)
            messages.append(("assistant", reply))
            print(f"> {said}\n{reply}")
        print()


if __name__ == "__main__":
    main()
