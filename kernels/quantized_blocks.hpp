// SPDX-License-Identifier: Apache-2.0
// The blocks of quantised weights, byte by byte as GGUF stores them (ggml's formats). Every
// structure has alignment 1, so it may be laid over the bytes of a file. Halves are IEEE half
// precision in little-endian bytes (half_at).
//
// Small blocks hold 32 weights. Where two weights share a byte, weight i is in the low nibble of
// byte i and weight i + 16 in its high nibble; fifth bits are bits 0..31 of `high_bits`.
// Large blocks (_K) hold 256 weights in sub-blocks with scales of their own.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/float16.hpp"

namespace backplane::kernels {

static_assert(std::endian::native == std::endian::little, "files are read in place");

using HalfBytes = std::uint8_t[2];

inline float half_at(const HalfBytes& bytes) {
  return float_from_half(static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8));
}

inline constexpr std::size_t kBlockWeights = 32;
inline constexpr std::size_t kLargeBlockWeights = 256;

// weight = scale * values[i]
struct BlockQ8_0 {
  HalfBytes scale;
  std::int8_t values[32];
};

// weight = scale * (nibble - 8)
struct BlockQ4_0 {
  HalfBytes scale;
  std::uint8_t nibbles[16];
};

// weight = scale * nibble + minimum
struct BlockQ4_1 {
  HalfBytes scale;
  HalfBytes minimum;
  std::uint8_t nibbles[16];
};

// weight = scale * ((nibble | high bit << 4) - 16)
struct BlockQ5_0 {
  HalfBytes scale;
  std::uint8_t high_bits[4];
  std::uint8_t nibbles[16];
};

// weight = scale * (nibble | high bit << 4) + minimum
struct BlockQ5_1 {
  HalfBytes scale;
  HalfBytes minimum;
  std::uint8_t high_bits[4];
  std::uint8_t nibbles[16];
};

// Eight pairs of 6 bits in 12 bytes, see sub_block_scale().
struct PackedScales {
  std::uint8_t bytes[12];
};

// Sub-block s of 32: weight = scale * scales[s] * nibble - minimum_scale * minimums[s].
// Nibbles of sub-blocks 2p and 2p + 1 are the low and high halves of bytes [32p, 32p + 32).
struct BlockQ4_K {
  HalfBytes scale;
  HalfBytes minimum_scale;
  PackedScales scales;
  std::uint8_t nibbles[128];
};

// As Q4_K, with a fifth bit for each weight: bit s of high_bits[i] for weight i of sub-block s.
struct BlockQ5_K {
  HalfBytes scale;
  HalfBytes minimum_scale;
  PackedScales scales;
  std::uint8_t high_bits[32];
  std::uint8_t nibbles[128];
};

// Sub-block s of 16: weight = scale * scales[s] * (value - 32), value of 6 bits. Each half h of
// 128 weights has 64 bytes of low nibbles and 32 of high bit pairs: weight 32q + i of it takes
// the low (q < 2) or high nibble of low_nibbles[64h + 32(q % 2) + i], and bits 2q, 2q + 1 of
// high_bits[32h + i].
struct BlockQ6_K {
  std::uint8_t low_nibbles[128];
  std::uint8_t high_bits[64];
  std::int8_t scales[16];
  HalfBytes scale;
};

static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);
static_assert(alignof(BlockQ4_K) == 1 && alignof(BlockQ6_K) == 1);

struct ScalePair {
  std::uint8_t scale;
  std::uint8_t minimum;
};

// Of sub-block s in [0, 8). The first four are the low 6 bits of bytes s and s + 4; the others
// have their low 4 bits in byte s + 4 and their high 2 where the first four leave room.
inline ScalePair sub_block_scale(const PackedScales& packed, std::size_t s) {
  const std::uint8_t* bytes = packed.bytes;
  if (s < 4) {
    return {static_cast<std::uint8_t>(bytes[s] & 63), static_cast<std::uint8_t>(bytes[s + 4] & 63)};
  }
  return {static_cast<std::uint8_t>((bytes[s + 4] & 15) | (bytes[s - 4] >> 6 << 4)),
          static_cast<std::uint8_t>((bytes[s + 4] >> 4) | (bytes[s] >> 6 << 4))};
}

}  // namespace backplane::kernels
