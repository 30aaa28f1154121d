// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/quantize_fit.hpp"
#include "kernels/quantized_blocks.hpp"

namespace backplane::kernels {
namespace {

using Floats = std::span<const float>;
using SmallBlock = std::array<std::uint8_t, kBlockWeights>;
using LargeBlock = std::array<std::uint8_t, kLargeBlockWeights>;

constexpr std::size_t kSubBlocks = 8;         // of 32 weights, in Q4_K and Q5_K
constexpr std::size_t kSixBitSubBlocks = 16;  // of 16 weights, in Q6_K

constexpr std::array<float, kBlockWeights> equal_importance() {
  std::array<float, kBlockWeights> ones{};
  ones.fill(1);
  return ones;
}
constexpr std::array<float, kBlockWeights> kEqual = equal_importance();

// Stores the half nearest to `value`, and returns what it is worth.
float put_half(HalfBytes& out, float value) {
  const std::uint16_t half = half_from_float(std::clamp(value, -65504.0F, 65504.0F));
  out[0] = static_cast<std::uint8_t>(half & 0xffU);
  out[1] = static_cast<std::uint8_t>(half >> 8U);
  return float_from_half(half);
}

float inverse_of(float scale) {
  return scale == 0 ? 0 : 1 / scale;
}

std::uint8_t level(float value, int high) {
  return static_cast<std::uint8_t>(whole(value, 0, static_cast<float>(high)));
}

void put_nibbles(const SmallBlock& levels, std::uint8_t* nibbles) {
  for (std::size_t i = 0; i < kBlockWeights / 2; ++i) {
    const unsigned pair = (levels[i] & 15U) | (levels[i + kBlockWeights / 2] & 15U) << 4U;
    nibbles[i] = static_cast<std::uint8_t>(pair);
  }
}

void put_high_bits(const SmallBlock& levels, std::uint8_t* bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kBlockWeights; ++i) bits |= (levels[i] >> 4U & 1U) << i;
  std::memcpy(bytes, &bits, sizeof(bits));
}

// Levels of 2 * middle steps, of which `middle` stands for 0.
template <class Block>
SmallBlock quantize_centered(Floats weights, int middle, Block& block) {
  const float scale = put_half(block.scale, fit_scale(weights, kEqual, {-middle, middle - 1}));
  const float inverse = inverse_of(scale);
  SmallBlock levels{};
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    levels[i] = level(weights[i] * inverse + static_cast<float>(middle), 2 * middle - 1);
  }
  return levels;
}

template <class Block>
SmallBlock quantize_affine(Floats weights, int high, Block& block) {
  const Affine fit = fit_affine(weights, kEqual, high, Offset::kAny);
  const float inverse = inverse_of(put_half(block.scale, fit.scale));
  const float minimum = put_half(block.minimum, fit.offset);
  SmallBlock levels{};
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    levels[i] = level((weights[i] - minimum) * inverse, high);
  }
  return levels;
}

void quantize(Floats weights, BlockQ8_0& block) {
  float extreme = 0;
  for (const float weight : weights) extreme = std::max(extreme, std::abs(weight));
  const float scale = extreme / 127;
  put_half(block.scale, scale);
  const float inverse = inverse_of(scale);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    block.values[i] = static_cast<std::int8_t>(whole(weights[i] * inverse, -127, 127));
  }
}

void quantize(Floats weights, BlockQ4_0& block) {
  put_nibbles(quantize_centered(weights, 8, block), block.nibbles);
}

void quantize(Floats weights, BlockQ4_1& block) {
  put_nibbles(quantize_affine(weights, 15, block), block.nibbles);
}

void quantize(Floats weights, BlockQ5_0& block) {
  const SmallBlock levels = quantize_centered(weights, 16, block);
  put_nibbles(levels, block.nibbles);
  put_high_bits(levels, block.high_bits);
}

void quantize(Floats weights, BlockQ5_1& block) {
  const SmallBlock levels = quantize_affine(weights, 31, block);
  put_nibbles(levels, block.nibbles);
  put_high_bits(levels, block.high_bits);
}

// The inverse of sub_block_scale().
void put_sub_block_scale(PackedScales& packed, std::size_t s, unsigned scale, unsigned minimum) {
  std::uint8_t* bytes = packed.bytes;
  const auto join = [](std::uint8_t& byte, unsigned bits) {
    byte = static_cast<std::uint8_t>(byte | bits);
  };
  if (s < 4) {
    join(bytes[s], scale);
    join(bytes[s + 4], minimum);
  } else {
    join(bytes[s + 4], (scale & 15U) | (minimum & 15U) << 4U);
    join(bytes[s - 4], scale >> 4U << 6U);
    join(bytes[s], minimum >> 4U << 6U);
  }
}

// Sub-blocks of 32 with scales of 6 bits each. The weights that are larger than usual in their
// sub-block matter more.
template <class Block>
LargeBlock quantize_sub_blocks(Floats weights, int high, Block& block) {
  std::array<Affine, kSubBlocks> fits;
  Affine largest;
  for (std::size_t s = 0; s < kSubBlocks; ++s) {
    const Floats part = weights.subspan(s * kBlockWeights, kBlockWeights);
    float square = 0;
    for (const float weight : part) square += weight * weight;
    const float usual = std::sqrt(square / static_cast<float>(kBlockWeights));
    std::array<float, kBlockWeights> importance{};
    for (std::size_t i = 0; i < kBlockWeights; ++i) importance[i] = usual + std::abs(part[i]);
    fits[s] = fit_affine(part, importance, high, Offset::kNotAbove0);
    largest.scale = std::max(largest.scale, fits[s].scale);
    largest.offset = std::max(largest.offset, -fits[s].offset);
  }
  const float scale = put_half(block.scale, largest.scale / 63);
  const float minimum_scale = put_half(block.minimum_scale, largest.offset / 63);
  block.scales = {};
  LargeBlock levels{};
  for (std::size_t s = 0; s < kSubBlocks; ++s) {
    const std::uint8_t sub_scale = level(fits[s].scale * inverse_of(scale), 63);
    const std::uint8_t sub_minimum = level(-fits[s].offset * inverse_of(minimum_scale), 63);
    put_sub_block_scale(block.scales, s, sub_scale, sub_minimum);
    const float inverse = inverse_of(scale * static_cast<float>(sub_scale));
    const float minimum = minimum_scale * static_cast<float>(sub_minimum);
    for (std::size_t i = s * kBlockWeights; i < (s + 1) * kBlockWeights; ++i) {
      levels[i] = level((weights[i] + minimum) * inverse, high);
    }
  }
  return levels;
}

void put_sub_block_nibbles(const LargeBlock& levels, std::uint8_t* nibbles) {
  for (std::size_t pair = 0; pair < kSubBlocks / 2; ++pair) {
    const std::uint8_t* low = levels.data() + 2 * pair * kBlockWeights;
    for (std::size_t i = 0; i < kBlockWeights; ++i) {
      const unsigned joined = (low[i] & 15U) | (low[i + kBlockWeights] & 15U) << 4U;
      nibbles[pair * kBlockWeights + i] = static_cast<std::uint8_t>(joined);
    }
  }
}

void quantize(Floats weights, BlockQ4_K& block) {
  put_sub_block_nibbles(quantize_sub_blocks(weights, 15, block), block.nibbles);
}

void quantize(Floats weights, BlockQ5_K& block) {
  const LargeBlock levels = quantize_sub_blocks(weights, 31, block);
  put_sub_block_nibbles(levels, block.nibbles);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    unsigned bits = 0;
    for (std::size_t s = 0; s < kSubBlocks; ++s) {
      bits |= (levels[s * kBlockWeights + i] >> 4U & 1U) << s;
    }
    block.high_bits[i] = static_cast<std::uint8_t>(bits);
  }
}

void put_six_bits(const LargeBlock& levels, BlockQ6_K& block) {
  std::fill(std::begin(block.low_nibbles), std::end(block.low_nibbles), std::uint8_t{0});
  std::fill(std::begin(block.high_bits), std::end(block.high_bits), std::uint8_t{0});
  for (std::size_t w = 0; w < kLargeBlockWeights; ++w) {
    const std::size_t half = w / 128;
    const std::size_t q = w % 128 / 32;
    const std::size_t i = w % 32;
    std::uint8_t& low = block.low_nibbles[64 * half + 32 * (q % 2) + i];
    std::uint8_t& high = block.high_bits[32 * half + i];
    low = static_cast<std::uint8_t>(low | (levels[w] & 15U) << (q < 2 ? 0U : 4U));
    high = static_cast<std::uint8_t>(high | (levels[w] >> 4U) << (2 * q));
  }
}

void quantize(Floats weights, BlockQ6_K& block) {
  constexpr std::size_t kPart = kLargeBlockWeights / kSixBitSubBlocks;
  std::array<float, kSixBitSubBlocks> fits{};
  float extreme = 0;
  for (std::size_t s = 0; s < kSixBitSubBlocks; ++s) {
    const Floats part = weights.subspan(s * kPart, kPart);
    std::array<float, kPart> importance{};
    for (std::size_t i = 0; i < kPart; ++i) importance[i] = part[i] * part[i];
    fits[s] = fit_scale(part, importance, {-32, 31});
    if (std::abs(fits[s]) > std::abs(extreme)) extreme = fits[s];
  }
  const float scale = put_half(block.scale, extreme / -128);
  LargeBlock levels{};
  for (std::size_t s = 0; s < kSixBitSubBlocks; ++s) {
    block.scales[s] = static_cast<std::int8_t>(whole(fits[s] * inverse_of(scale), -128, 127));
    const float inverse = inverse_of(scale * static_cast<float>(block.scales[s]));
    for (std::size_t i = s * kPart; i < (s + 1) * kPart; ++i) {
      levels[i] = level(weights[i] * inverse + 32, 63);
    }
  }
  put_six_bits(levels, block);
}

template <class Block>
void quantize_blocks(Floats weights, std::size_t block_weights, std::byte* row) {
  auto* blocks = reinterpret_cast<Block*>(row);
  for (std::size_t i = 0; i * block_weights < weights.size(); ++i) {
    quantize(weights.subspan(i * block_weights, block_weights), blocks[i]);
  }
}

template <class Convert>
void put_numbers(Floats weights, std::byte* row, const Convert& convert) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::uint16_t number = convert(weights[i]);
    std::memcpy(row + 2 * i, &number, sizeof(number));
  }
}

}  // namespace

void quantize_row(Type type, Floats weights, std::byte* row) {
  assert(weights.size() % layout_of(type).block_weights == 0);
  switch (type) {
    case Type::kF32:
      std::memcpy(row, weights.data(), weights.size_bytes());
      return;
    case Type::kF16:
      return put_numbers(weights, row, half_from_float);
    case Type::kBF16:
      return put_numbers(weights, row, bfloat_from_float);
    case Type::kQ8_0:
      return quantize_blocks<BlockQ8_0>(weights, kBlockWeights, row);
    case Type::kQ4_0:
      return quantize_blocks<BlockQ4_0>(weights, kBlockWeights, row);
    case Type::kQ4_1:
      return quantize_blocks<BlockQ4_1>(weights, kBlockWeights, row);
    case Type::kQ5_0:
      return quantize_blocks<BlockQ5_0>(weights, kBlockWeights, row);
    case Type::kQ5_1:
      return quantize_blocks<BlockQ5_1>(weights, kBlockWeights, row);
    case Type::kQ4_K:
      return quantize_blocks<BlockQ4_K>(weights, kLargeBlockWeights, row);
    case Type::kQ5_K:
      return quantize_blocks<BlockQ5_K>(weights, kLargeBlockWeights, row);
    case Type::kQ6_K:
      return quantize_blocks<BlockQ6_K>(weights, kLargeBlockWeights, row);
  }
}

}  // namespace backplane::kernels
