#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a checkpoint as a GGUF file: matrices in Q8_0, norms in F32, the output tied."""
import argparse

import torch

import gguf
from model import Shape
from tokenizer import SPECIAL, Tokenizer

NORMAL, CONTROL = 1, 3
MOSTLY_Q8_0 = 7
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}<|system|>"
    "{% elif message['role'] == 'assistant' %}<|assistant|>"
    "{% else %}<|user|>{% endif %}"
    "{{ message['content'] }}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def general_fields():
    return [
        ("general.architecture", gguf.STRING, "llama"),
        ("general.type", gguf.STRING, "model"),
        ("general.name", gguf.STRING, "Tiny Chat"),
        ("general.description", gguf.STRING, "Tells very short stories and makes small talk."),
        ("general.license", gguf.STRING, "apache-2.0"),
        ("general.languages", gguf.STRING, ["en"]),
        ("general.alignment", gguf.UINT32, gguf.ALIGNMENT),
        ("general.file_type", gguf.UINT32, MOSTLY_Q8_0),
        ("general.quantization_version", gguf.UINT32, 2),
    ]


def shape_fields(shape):
    return [
        ("llama.block_count", gguf.UINT32, shape.layers),
        ("llama.context_length", gguf.UINT32, shape.context),
        ("llama.embedding_length", gguf.UINT32, shape.dim),
        ("llama.feed_forward_length", gguf.UINT32, shape.hidden),
        ("llama.attention.head_count", gguf.UINT32, shape.heads),
        ("llama.attention.head_count_kv", gguf.UINT32, shape.kv_heads),
        ("llama.attention.layer_norm_rms_epsilon", gguf.FLOAT32, shape.epsilon),
        ("llama.rope.dimension_count", gguf.UINT32, shape.head_dim),
        ("llama.rope.freq_base", gguf.FLOAT32, shape.rope_base),
        ("llama.vocab_size", gguf.UINT32, shape.vocab),
    ]


def tokenizer_fields(tokenizer):
    end = tokenizer.special("end")
    types = [CONTROL if token in SPECIAL else NORMAL for token in tokenizer.tokens]
    return [
        ("tokenizer.ggml.model", gguf.STRING, "gpt2"),
        ("tokenizer.ggml.pre", gguf.STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", gguf.STRING, tokenizer.tokens),
        ("tokenizer.ggml.token_type", gguf.INT32, types),
        ("tokenizer.ggml.merges", gguf.STRING, [" ".join(m) for m in tokenizer.merges]),
        ("tokenizer.ggml.bos_token_id", gguf.UINT32, end),
        ("tokenizer.ggml.eos_token_id", gguf.UINT32, end),
        ("tokenizer.ggml.padding_token_id", gguf.UINT32, end),
        ("tokenizer.ggml.add_bos_token", gguf.BOOL, False),
        ("tokenizer.ggml.add_eos_token", gguf.BOOL, False),
        ("tokenizer.chat_template", gguf.STRING, TEMPLATE),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="checkpoint.pt")
    parser.add_argument("--tokenizer", default="merges.json")
    parser.add_argument("--out", default="../tiny-chat.gguf")
    options = parser.parse_args()
    state = torch.load(options.checkpoint, map_location="cpu")
    shape, tokenizer = Shape(**state["shape"]), Tokenizer.load(options.tokenizer)
    assert len(tokenizer.tokens) == shape.vocab
    tensors = [(name, weight.numpy()) for name, weight in state["model"].items()]
    fields = general_fields() + shape_fields(shape) + tokenizer_fields(tokenizer)
    gguf.write(options.out, fields, tensors)


if __name__ == "__main__":
    main()
