# SPDX-License-Identifier: Apache-2.0
"""Llama models of random weights: as fast and as large as real ones of their shape."""
import os
import random
import struct

# layers, width, feed-forward, heads, key/value heads, vocabulary; widths are multiples of 256.
SHAPES = {
    "100m": (12, 768, 2048, 12, 4, 32000),
    "1b": (16, 2048, 8192, 32, 8, 128256),
}
CONTEXT = 8192
ALIGNMENT = 32
PIECE_BYTES = 1 << 24
LETTERS = "abcdefghijklmnopqrstuvwxyz"

UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
FILE_F32, FILE_F16 = 0, 1
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

# A random byte as the high byte of a half between 2^-8 and 2^-5, either sign.
SMALL_HALF = bytes((byte & 0x80) | (0x1C + byte % 12) for byte in range(256))


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, kind, value):
    packed = {UINT32: lambda: struct.pack("<I", value), FLOAT32: lambda: struct.pack("<f", value),
              STRING: lambda: text(value), ARRAY: lambda: value}[kind]()
    return text(key) + struct.pack("<I", kind) + packed


def array(kind, items):
    packed = b"".join(map(text, items)) if kind == STRING else struct.pack(
        f"<{len(items)}{'f' if kind == FLOAT32 else 'i'}", *items)
    return struct.pack("<IQ", kind, len(items)) + packed


def vocabulary(size):
    """Letters are tokens of their own, so that a prompt has as many tokens as letters."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    words = ["\u2581", *LETTERS]
    words += [f"[{number}]" for number in range(size - len(tokens) - len(words))]
    return tokens + words, kinds + [NORMAL] * len(words)


def metadata(name, shape):
    layers, width, feed_forward, heads, kv_heads, size = shape
    tokens, kinds = vocabulary(size)
    entries = [
        entry("general.architecture", STRING, "llama"), entry("general.name", STRING, name),
        entry("general.file_type", UINT32, 1), entry("llama.block_count", UINT32, layers),
        entry("llama.context_length", UINT32, CONTEXT),
        entry("llama.embedding_length", UINT32, width),
        entry("llama.feed_forward_length", UINT32, feed_forward),
        entry("llama.attention.head_count", UINT32, heads),
        entry("llama.attention.head_count_kv", UINT32, kv_heads),
        entry("llama.rope.dimension_count", UINT32, width // heads),
        entry("llama.rope.freq_base", FLOAT32, 500000.0),
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        entry("llama.vocab_size", UINT32, size),
        entry("tokenizer.ggml.model", STRING, "llama"),
        entry("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens)),
        entry("tokenizer.ggml.scores", ARRAY, array(FLOAT32, [0.0] * size)),
        entry("tokenizer.ggml.token_type", ARRAY, array(INT32, kinds)),
        entry("tokenizer.ggml.bos_token_id", UINT32, 1),
        entry("tokenizer.ggml.eos_token_id", UINT32, 2),
    ]
    return len(entries), b"".join(entries)


def tensors(shape):
    """(name, dimensions, type) in the order of the file."""
    layers, width, feed_forward, heads, kv_heads, size = shape
    key = width // heads * kv_heads
    yield "token_embd.weight", (width, size), FILE_F16
    yield "output_norm.weight", (width,), FILE_F32
    for layer in range(layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (width,), FILE_F32
        yield block + "attn_q.weight", (width, width), FILE_F16
        yield block + "attn_k.weight", (width, key), FILE_F16
        yield block + "attn_v.weight", (width, key), FILE_F16
        yield block + "attn_output.weight", (width, width), FILE_F16
        yield block + "ffn_norm.weight", (width,), FILE_F32
        yield block + "ffn_gate.weight", (width, feed_forward), FILE_F16
        yield block + "ffn_up.weight", (width, feed_forward), FILE_F16
        yield block + "ffn_down.weight", (feed_forward, width), FILE_F16


def write_halves(file, count, numbers):
    while count > 0:
        piece = min(count, PIECE_BYTES)
        halves = bytearray(2 * piece)
        halves[0::2] = numbers.randbytes(piece)
        halves[1::2] = numbers.randbytes(piece).translate(SMALL_HALF)
        file.write(halves)
        count -= piece


def padded(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def write(path, name, seed=1):
    shape = SHAPES[name]
    count, head = metadata(f"synthetic {name}", shape)
    listed = list(tensors(shape))
    table, offset, sizes = b"", 0, []
    for tensor, dimensions, kind in listed:
        weights = 1
        for dimension in dimensions:
            weights *= dimension
        sizes.append(weights)
        table += text(tensor) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions),
                                            *dimensions, kind, offset)
        offset += padded(weights * (4 if kind == FILE_F32 else 2))
    numbers = random.Random(seed)
    with open(path + ".part", "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(listed), count) + head + table)
        file.write(bytes(padded(file.tell()) - file.tell()))
        for (_, _, kind), weights in zip(listed, sizes):
            if kind == FILE_F32:
                file.write(struct.pack("<f", 1.0) * weights)
            else:
                write_halves(file, weights, numbers)
            file.write(bytes(padded(file.tell()) - file.tell()))
    os.replace(path + ".part", path)
