# SPDX-License-Identifier: Apache-2.0
"""Byte-level BPE with the GPT-2 split and byte alphabet: training, encoding, decoding."""
import collections
import json
import re

SPECIAL = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
LETTER, NUMBER = r"[^\W\d_]", r"\d"
SPLIT = re.compile(rf"'s|'t|'re|'ve|'m|'ll|'d| ?{LETTER}+| ?{NUMBER}+"
                   r"| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_alphabet():
    """The GPT-2 mapping of every byte to a printable character."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


ALPHABET = byte_alphabet()
BYTES = {char: byte for byte, char in ALPHABET.items()}


def symbols(piece):
    return tuple(ALPHABET[b] for b in piece.encode("utf-8"))


def merge(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def count_pairs(counts):
    pairs = collections.Counter()
    for word, count in counts.items():
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return pairs


def train(texts, vocab_size):
    """The merges, most useful first; equal counts are decided by the pair itself."""
    pieces = collections.Counter(p for text in texts for p in SPLIT.findall(text))
    counts = {symbols(piece): count for piece, count in pieces.items()}
    merges, pairs = [], count_pairs(counts)
    while len(merges) < vocab_size - 256 - len(SPECIAL):
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        touched = {w: c for w, c in counts.items() if best in zip(w, w[1:])}
        for word, count in touched.items():
            del counts[word]
            pairs.subtract(count_pairs({word: count}))
            after = merge(word, best)
            counts[after] = counts.get(after, 0) + count
            pairs.update(count_pairs({after: count}))
        pairs = +pairs
    return merges


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        self.tokens = [ALPHABET[b] for b in range(256)]
        self.tokens += ["".join(m) for m in self.merges] + SPECIAL
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.ranks = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.merges, file)

    def special(self, name):
        return self.ids[f"<|{name}|>"]

    def piece(self, text):
        word = symbols(text)
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda p: self.ranks.get(p, len(self.ranks)))
            if best not in self.ranks:
                break
            word = merge(word, best)
        return [self.ids[s] for s in word]

    def encode(self, text):
        out = []
        for part in SPLIT.findall(text):
            if part not in self.cache:
                self.cache[part] = self.piece(part)
            out += self.cache[part]
        return out

    def decode(self, ids):
        text = "".join(self.tokens[i] for i in ids if self.tokens[i] not in SPECIAL)
        return bytes(BYTES[c] for c in text).decode("utf-8", "replace")
