#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the tokenizer once, then the model; can be stopped and started again at any time."""
import argparse
import dataclasses
import json
import math
import os
import random
import time

import numpy
import torch
import torch.nn.functional as F

import words
from model import Llama, Shape, causal_mask
from tokenizer import Tokenizer, train

IGNORED = -100


def read_dialogues(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load_tokenizer(path, dialogues, vocab):
    if not os.path.exists(path):
        texts = [m["content"] for dialogue in dialogues[:20000] for m in dialogue]
        Tokenizer(train(texts, vocab)).save(path)
    return Tokenizer.load(path)


def encode(tokenizer, dialogue):
    """Token ids, and for each whether the model must learn to say it."""
    ids, learn = [], []
    for message in dialogue:
        body = tokenizer.encode(message["content"]) + [tokenizer.special("end")]
        said = message["role"] != "user" and message["role"] != "system"
        if message["role"] != "text":
            ids.append(tokenizer.special(message["role"]))
            learn.append(False)
        ids += body
        learn += [said] * len(body)
    return ids, learn


def pack(samples, context):
    """Fills rows of context + 1 tokens with whole dialogues, as tightly as 16 open rows allow."""
    room, rows, opened = context + 1, [], []
    for ids, learn in samples:
        ids, learn = ids[:room], learn[:room]
        fit = [row for row in opened if len(row[0]) + len(ids) <= room]
        row = max(fit, key=lambda r: len(r[0])) if fit else ([], [], [])
        if not fit:
            opened.append(row)
        row[2].extend([row[2][-1] + 1 if row[2] else 0] * len(ids))
        row[0].extend(ids)
        row[1].extend(learn)
        if len(opened) > 16:
            fullest = max(opened, key=lambda r: len(r[0]))
            opened = [r for r in opened if r is not fullest]
            rows.append(fullest)
    return rows + opened


def to_arrays(rows, context):
    count, room = len(rows), context + 1
    ids = numpy.zeros((count, room), numpy.int16)
    learn = numpy.zeros((count, room), bool)
    documents = numpy.full((count, room), -1, numpy.int16)
    for i, row in enumerate(rows):
        for array, values in zip((ids, learn, documents), row):
            array[i, :len(values)] = values
    return ids, learn, documents


def batch(arrays, chosen, known, share, vocab):
    arrays = [array[chosen] for array in arrays]
    exchange_words(arrays, known, share, vocab)
    ids, learn, documents = (torch.from_numpy(array) for array in arrays)
    known = learn[:, 1:] & (documents[:, 1:] == documents[:, :-1])
    target = ids[:, 1:].long().masked_fill(~known, IGNORED)
    return ids[:, :-1].long(), target, causal_mask(documents[:, :-1])


def word_tokens(tokenizer):
    """The tokens that are a whole name or a whole noun: what a story must repeat."""
    nouns = [noun for _, nouns in words.KINDS for noun in nouns]
    encoded = [tokenizer.encode(" " + w) for w in words.BOY_NAMES + words.GIRL_NAMES + nouns]
    return sorted({ids[0] for ids in encoded if len(ids) == 1})


def exchange_words(arrays, known, share, vocab):
    """In a share of the documents every name and noun becomes a random token, so that the only
    way to know the next one is to look back; its first appearance cannot be learned."""
    ids, learn, documents = arrays
    known_set, everything = numpy.array(known), range(256, vocab)
    for row in range(len(ids)):
        for document in range(documents[row].max() + 1):
            if random.random() >= share:
                continue
            at = numpy.flatnonzero((documents[row] == document) & numpy.isin(ids[row], known_set))
            table = numpy.arange(vocab, dtype=ids.dtype)
            table[known_set] = random.sample(everything, len(known))
            _, first = numpy.unique(ids[row, at], return_index=True)
            learn[row, at[first]] = False
            ids[row, at] = table[ids[row, at]]


def loss_of(model, tokens, target, mask, bf16):
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        hidden = model.hidden(tokens, mask.bfloat16() if bf16 else mask)
        wanted = target != IGNORED
        return F.cross_entropy(model.logits(hidden[wanted]).float(), target[wanted])


def rate(step, options):
    """Warm up, stay, and go down over the last part."""
    left = (options.steps - step) / (options.steps * options.decay)
    return options.rate * min(1.0, (step + 1) / options.warmup, max(left, 0.02))


def optimizer_of(model):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8)


def save(path, model, optimizer, step):
    state = {"shape": dataclasses.asdict(model.shape), "model": model.state_dict(),
             "optimizer": optimizer.state_dict(), "step": step}
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def order(rows, step, options):
    """The rows of this step: every epoch has its own seeded order, so a restart changes nothing."""
    per_epoch = rows // options.batch
    epoch, place = divmod(step, per_epoch)
    shuffled = list(range(rows))
    random.Random(options.seed * 1000 + epoch).shuffle(shuffled)
    return shuffled[place * options.batch:(place + 1) * options.batch]


def copy_loss(model, half, count, options):
    """How well the model repeats random tokens: names and subjects need just that."""
    generator = torch.Generator().manual_seed(random.getrandbits(32))
    shape = (count // half, half)
    said = torch.randint(256, model.shape.vocab, shape, generator=generator)
    ids = torch.cat([said, said], 1)
    target = ids[:, 1:].clone()
    target[:, :half] = IGNORED
    mask = causal_mask(torch.zeros(shape[0], 2 * half - 1))
    return loss_of(model, ids[:, :-1], target, mask, options.bf16)


def copying(model, options):
    """Before the first word, the model learns to repeat."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98))
    for step in range(options.copying):
        random.seed(options.seed * 1000 + step)
        loss = copy_loss(model, 16, 1536, options)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1.0, (step + 1) / 50)
        learn(model, optimizer, loss)
        if step % 20 == 0:
            print(f"copying {step} loss {loss.item():.4f}", flush=True)


def learn(model, optimizer, loss):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def run(model, optimizer, arrays, known, first, options):
    began = time.time()
    smooth = None
    for step in range(first, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options)
        random.seed(options.seed * 2000 + step)
        chosen = order(len(arrays[0]), step, options)
        loss = loss_of(model, *batch(arrays, chosen, known, options.exchange, model.shape.vocab),
                       options.bf16)
        repeat = copy_loss(model, random.choice([8, 16, 32]), 256, options) \
            if step < options.mixing else torch.zeros(())
        learn(model, optimizer, loss + 0.3 * repeat)
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if step % 20 == 0:
            seconds = (time.time() - began) / (step - first + 1)
            print(f"step {step} loss {smooth:.4f} repeat {repeat.item():.4f} {seconds:.2f} s/step",
                  flush=True)
        if (step + 1) % options.every == 0:
            save(options.checkpoint, model, optimizer, step + 1)
    save(options.checkpoint, model, optimizer, options.steps)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="dialogues.jsonl")
    parser.add_argument("--tokenizer", default="merges.json")
    parser.add_argument("--checkpoint", default="checkpoint.pt")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=4, help="rows of one context each")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--copying", type=int, default=110, help="steps of repeating first")
    parser.add_argument("--exchange", type=float, default=0.05, help="share of changed words")
    parser.add_argument("--mixing", type=int, default=1000, help="first steps that also repeat")
    parser.add_argument("--warmup", type=int, default=60)
    parser.add_argument("--decay", type=float, default=0.35, help="last part of the steps")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="faster where the CPU has it")
    return parser.parse_args()


def main():
    options = parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    dialogues = read_dialogues(options.data)
    shape = Shape()
    tokenizer = load_tokenizer(options.tokenizer, dialogues, shape.vocab)
    rows = pack([encode(tokenizer, d) for d in dialogues], shape.context)
    arrays = to_arrays(rows, shape.context)
    model, first = Llama(shape), 0
    optimizer = optimizer_of(model)
    if os.path.exists(options.checkpoint):
        state = torch.load(options.checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    else:
        copying(model, options)
    size, used = sum(p.numel() for p in model.parameters()), (arrays[2] >= 0).mean()
    print(f"{size} parameters, {len(rows)} rows, {used:.1%} filled, from step {first}", flush=True)
    run(model, optimizer, arrays, word_tokens(tokenizer), first, options)


if __name__ == "__main__":
    main()
