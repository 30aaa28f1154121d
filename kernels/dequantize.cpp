// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize.hpp"

#include <cstring>

#include "kernels/float16.hpp"
#include "kernels/quantized_blocks.hpp"

namespace backplane::kernels {
namespace {

int nibble(const std::uint8_t* nibbles, std::size_t i) {
  return i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
}

int fifth_bit(const std::uint8_t (&high_bits)[4], std::size_t i) {
  return (high_bits[i / 8] >> (i % 8) & 1) << 4;
}

void dequantize(const BlockQ8_0& block, float* out) {
  const float scale = half_at(block.scale);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    out[i] = scale * static_cast<float>(block.values[i]);
  }
}

void dequantize(const BlockQ4_0& block, float* out) {
  const float scale = half_at(block.scale);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    out[i] = scale * static_cast<float>(nibble(block.nibbles, i) - 8);
  }
}

void dequantize(const BlockQ4_1& block, float* out) {
  const float scale = half_at(block.scale);
  const float minimum = half_at(block.minimum);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    out[i] = scale * static_cast<float>(nibble(block.nibbles, i)) + minimum;
  }
}

void dequantize(const BlockQ5_0& block, float* out) {
  const float scale = half_at(block.scale);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    const int value = nibble(block.nibbles, i) | fifth_bit(block.high_bits, i);
    out[i] = scale * static_cast<float>(value - 16);
  }
}

void dequantize(const BlockQ5_1& block, float* out) {
  const float scale = half_at(block.scale);
  const float minimum = half_at(block.minimum);
  for (std::size_t i = 0; i < kBlockWeights; ++i) {
    const int value = nibble(block.nibbles, i) | fifth_bit(block.high_bits, i);
    out[i] = scale * static_cast<float>(value) + minimum;
  }
}

// The nibbles of sub-block s, low ones for even s, high ones for odd.
int large_nibble(const std::uint8_t* nibbles, std::size_t s, std::size_t i) {
  return nibbles[s / 2 * 32 + i] >> (s % 2 * 4) & 15;
}

void dequantize(const BlockQ4_K& block, float* out) {
  for (std::size_t s = 0; s < 8; ++s) {
    const ScalePair pair = sub_block_scale(block.scales, s);
    const float scale = half_at(block.scale) * pair.scale;
    const float minimum = half_at(block.minimum_scale) * pair.minimum;
    for (std::size_t i = 0; i < 32; ++i) {
      *out++ = scale * static_cast<float>(large_nibble(block.nibbles, s, i)) - minimum;
    }
  }
}

void dequantize(const BlockQ5_K& block, float* out) {
  for (std::size_t s = 0; s < 8; ++s) {
    const ScalePair pair = sub_block_scale(block.scales, s);
    const float scale = half_at(block.scale) * pair.scale;
    const float minimum = half_at(block.minimum_scale) * pair.minimum;
    for (std::size_t i = 0; i < 32; ++i) {
      const int high = (block.high_bits[i] >> s & 1) << 4;
      *out++ = scale * static_cast<float>(large_nibble(block.nibbles, s, i) | high) - minimum;
    }
  }
}

void dequantize(const BlockQ6_K& block, float* out) {
  for (std::size_t weight = 0; weight < kLargeBlockWeights; ++weight) {
    const std::size_t half = weight / 128;
    const std::size_t quarter = weight % 128 / 32;
    const std::size_t i = weight % 32;
    const int low = block.low_nibbles[64 * half + 32 * (quarter % 2) + i] >> (quarter / 2 * 4) & 15;
    const int high = (block.high_bits[32 * half + i] >> (2 * quarter) & 3) << 4;
    const float scale = half_at(block.scale) * static_cast<float>(block.scales[weight / 16]);
    out[weight] = scale * static_cast<float>((low | high) - 32);
  }
}

template <class Block>
void dequantize_blocks(const std::byte* row, std::size_t block_weights, std::span<float> out) {
  const auto* block = reinterpret_cast<const Block*>(row);
  for (std::size_t i = 0; i < out.size(); i += block_weights) dequantize(*block++, &out[i]);
}

std::uint16_t bits_at(const std::byte* row, std::size_t index) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, row + 2 * index, sizeof(bits));
  return bits;
}

}  // namespace

void dequantize_row(Type type, const std::byte* row, std::span<float> out) {
  const std::size_t weights = layout_of(type).block_weights;
  assert(out.size() % weights == 0);
  switch (type) {
    case Type::kF32:
      std::memcpy(out.data(), row, out.size_bytes());
      return;
    case Type::kF16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = float_from_half(bits_at(row, i));
      return;
    case Type::kBF16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = float_from_bfloat(bits_at(row, i));
      return;
    case Type::kQ8_0:
      return dequantize_blocks<BlockQ8_0>(row, weights, out);
    case Type::kQ4_0:
      return dequantize_blocks<BlockQ4_0>(row, weights, out);
    case Type::kQ4_1:
      return dequantize_blocks<BlockQ4_1>(row, weights, out);
    case Type::kQ5_0:
      return dequantize_blocks<BlockQ5_0>(row, weights, out);
    case Type::kQ5_1:
      return dequantize_blocks<BlockQ5_1>(row, weights, out);
    case Type::kQ4_K:
      return dequantize_blocks<BlockQ4_K>(row, weights, out);
    case Type::kQ5_K:
      return dequantize_blocks<BlockQ5_K>(row, weights, out);
    case Type::kQ6_K:
      return dequantize_blocks<BlockQ6_K>(row, weights, out);
  }
}

}  // namespace backplane::kernels
