# SPDX-License-Identifier: Apache-2.0
"""GGUF version 3: as much of it as this model needs, written and read back."""
import struct

import numpy

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 5, 6, 7, 8, 9, 10
F32, Q8_0 = 0, 8
ALIGNMENT = 32
BLOCK = 32
SCALARS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?", UINT64: "<Q"}


def string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    return string(value) if kind == STRING else struct.pack(SCALARS[kind], value)


def field(key, kind, value):
    """A list is written as an array of `kind`."""
    if isinstance(value, list):
        head = struct.pack("<IIQ", ARRAY, kind, len(value))
        return string(key) + head + b"".join(scalar(kind, v) for v in value)
    return string(key) + struct.pack("<I", kind) + scalar(kind, value)


def quantise(matrix):
    """Q8_0: a half-precision scale and 32 signed bytes for every 32 neighbours of a row."""
    blocks = matrix.astype(numpy.float32).reshape(-1, BLOCK)
    scale = numpy.abs(blocks).max(1, keepdims=True) / numpy.float32(127)
    inverse = numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale > 0)
    levels = numpy.rint(blocks * inverse).astype(numpy.int8)
    return numpy.hstack([scale.astype("<f2").view(numpy.uint8), levels.view(numpy.uint8)]).tobytes()


def dequantise(data, shape):
    blocks = numpy.frombuffer(data, numpy.uint8).reshape(-1, BLOCK + 2)
    scale = blocks[:, :2].copy().view("<f2").astype(numpy.float32)
    return (blocks[:, 2:].view(numpy.int8).astype(numpy.float32) * scale).reshape(shape)


def tensor_bytes(array):
    if array.ndim == 1:
        return F32, array.astype("<f4").tobytes()
    return Q8_0, quantise(array)


def padding(size):
    return b"\0" * (-size % ALIGNMENT)


def write(path, fields, tensors):
    """fields: (key, kind, value); tensors: (name, array), the last axis is the input dimension."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(fields))
    head += b"".join(field(*entry) for entry in fields)
    body = b""
    for name, array in tensors:
        kind, data = tensor_bytes(array)
        sizes = b"".join(struct.pack("<Q", size) for size in reversed(array.shape))
        head += string(name) + struct.pack("<I", array.ndim) + sizes
        head += struct.pack("<IQ", kind, len(body))
        body += data + padding(len(data))
    with open(path, "wb") as file:
        file.write(head + padding(len(head)) + body)


class Reader:
    """Fields and dequantised tensors of a file that `write` could have written."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at, self.fields, self.tensors = 4, {}, {}
        version, tensor_count, field_count = self.number("<I"), self.number("<Q"), self.number("<Q")
        assert self.data[:4] == b"GGUF" and version == 3
        for _ in range(field_count):
            key = self.string()
            self.fields[key] = self.value(self.number("<I"))
        self.load([self.info() for _ in range(tensor_count)])

    def number(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self):
        size = self.number("<Q")
        self.at += size
        return self.data[self.at - size:self.at].decode("utf-8")

    def value(self, kind):
        if kind == ARRAY:
            inner, count = self.number("<I"), self.number("<Q")
            return [self.value(inner) for _ in range(count)]
        return self.string() if kind == STRING else self.number(SCALARS[kind])

    def info(self):
        name = self.string()
        shape = [self.number("<Q") for _ in range(self.number("<I"))][::-1]
        return name, shape, self.number("<I"), self.number("<Q")

    def load(self, infos):
        base = self.at + len(padding(self.at))
        for name, shape, kind, offset in infos:
            count, start = int(numpy.prod(shape)), base + offset
            if kind == F32:
                flat = numpy.frombuffer(self.data, "<f4", count, start)
                self.tensors[name] = flat.reshape(shape)
            else:
                size = count // BLOCK * (BLOCK + 2)
                self.tensors[name] = dequantise(self.data[start:start + size], shape)
