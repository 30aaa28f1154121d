# SPDX-License-Identifier: Apache-2.0
"""The Llama architecture, with interleaved rotary pairs as GGUF stores them."""
import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Shape:
    vocab: int = 3072
    dim: int = 256
    hidden: int = 768
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    context: int = 512
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head_dim(self):
        return self.dim // self.heads


class Norm(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(shape.dim)), shape.epsilon

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotations(shape, length):
    pairs = torch.arange(0, shape.head_dim, 2).float() / shape.head_dim
    angles = torch.outer(torch.arange(length).float(), shape.rope_base ** -pairs)
    return torch.cos(angles), torch.sin(angles)


def rotate(x, cos, sin):
    """x is [batch, position, head, dim]; the pairs are neighbours."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = cos[:, None, :].to(x.dtype), sin[:, None, :].to(x.dtype)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape, kv = shape, shape.kv_heads * shape.head_dim
        self.attn_norm, self.ffn_norm = Norm(shape), Norm(shape)
        self.attn_q = nn.Linear(shape.dim, shape.dim, bias=False)
        self.attn_k = nn.Linear(shape.dim, kv, bias=False)
        self.attn_v = nn.Linear(shape.dim, kv, bias=False)
        self.attn_output = nn.Linear(shape.dim, shape.dim, bias=False)
        self.ffn_gate = nn.Linear(shape.dim, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.dim, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.dim, bias=False)

    def attend(self, x, mask, cos, sin):
        batch, length, _ = x.shape
        s, group = self.shape, self.shape.heads // self.shape.kv_heads
        q = rotate(self.attn_q(x).view(batch, length, s.heads, s.head_dim), cos, sin)
        k = rotate(self.attn_k(x).view(batch, length, s.kv_heads, s.head_dim), cos, sin)
        v = self.attn_v(x).view(batch, length, s.kv_heads, s.head_dim)
        q, k, v = (t.transpose(1, 2) for t in (q * s.head_dim ** -0.5, k, v))
        k, v = (t.repeat_interleave(group, 1) for t in (k, v))
        weights = torch.softmax(q @ k.transpose(2, 3) + mask, -1)
        out = weights.to(v.dtype) @ v
        return self.attn_output(out.transpose(1, 2).reshape(batch, length, s.dim))

    def forward(self, x, mask, cos, sin):
        x = x + self.attend(self.attn_norm(x), mask, cos, sin)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocab, shape.dim)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                deep = name.endswith(("attn_output.weight", "ffn_down.weight"))
                scale = (2 * shape.layers) ** -0.5 if deep else 1.0
                nn.init.normal_(weight, std=0.04 * scale)

    def hidden(self, tokens, mask):
        cos, sin = rotations(self.shape, tokens.shape[1])
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, mask, cos, sin)
        return self.output_norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.token_embd.weight)


def causal_mask(documents):
    """Adds minus infinity where a later token or another document would be seen."""
    length = documents.shape[1]
    same = documents[:, :, None] == documents[:, None, :]
    seen = same & torch.ones(length, length).tril().bool()
    return torch.zeros(seen.shape).masked_fill(~seen, -1e4)[:, None]
