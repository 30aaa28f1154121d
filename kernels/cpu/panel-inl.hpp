// SPDX-License-Identifier: Apache-2.0
// Reads blocks of as many rows as a vector has lanes into a panel: step by step four columns of
// each row, a lane a row, as bytes that an integer dot product takes. Included once for every
// instruction set, hence no #pragma once.
#if defined(BACKPLANE_KERNELS_CPU_PANEL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKPLANE_KERNELS_CPU_PANEL_INL
#undef BACKPLANE_KERNELS_CPU_PANEL_INL
#else
#define BACKPLANE_KERNELS_CPU_PANEL_INL
#endif

#include <hwy/highway.h>

#include <cstring>

#include "kernels/cpu/quantized_activations.hpp"
#include "kernels/quantized_blocks.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Words = hn::ScalableTag<std::uint32_t>;
using Word = hn::Vec<Words>;
using Floats = hn::ScalableTag<float>;
using Float = hn::Vec<Floats>;

// Rows of a panel.
inline constexpr std::size_t kLanes = HWY_LANES(std::uint32_t);
// Columns that are unpacked together, at most.
inline constexpr std::size_t kPanelColumns = 1024;

struct Panel {
  alignas(64) std::uint32_t values[kPanelColumns / 4 * kLanes];
  alignas(64) float scales[kPanelColumns / 16 * kLanes];
  alignas(64) float minimums[kPanelColumns / 32 * kLanes];
};

// Where in a panel a block goes: its first group.
struct Place {
  Panel& panel;
  std::size_t group;
};

// Where a block's row lies, and the distance in bytes to the next.
struct Rows {
  const std::uint8_t* first;
  std::size_t stride;
  Rows at(std::size_t offset) const { return {first + offset, stride}; }
};

// load_words(): words[k], lane r = bytes [4k, 4k + 4) of row r.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void load_words(const Rows& rows, Word* words) {
  std::uint32_t four[4];
  std::memcpy(four, rows.first, sizeof(four));
  for (std::size_t k = 0; k < 4; ++k) words[k] = hn::LoadU(Words(), four + k);
}
#else
// 16 bytes of each row, a row a 128-bit block.
template <std::size_t N>
HWY_INLINE hn::Vec<hn::CappedTag<std::uint32_t, N> > load_blocks(const Rows& rows) {
  const hn::CappedTag<std::uint32_t, N> d;
  if constexpr (N == 4) {
    return hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(rows.first));
  } else {
    const auto low = load_blocks<N / 2>(rows);
    return hn::Combine(d, load_blocks<N / 2>(rows.at(N / 8 * rows.stride)), low);
  }
}

HWY_INLINE Word pair_low(Word a, Word b) {
  const hn::ScalableTag<std::uint64_t> d;
  return hn::BitCast(Words(), hn::InterleaveLower(d, hn::BitCast(d, a), hn::BitCast(d, b)));
}

HWY_INLINE Word pair_high(Word a, Word b) {
  const hn::ScalableTag<std::uint64_t> d;
  return hn::BitCast(Words(), hn::InterleaveUpper(d, hn::BitCast(d, a), hn::BitCast(d, b)));
}

HWY_INLINE void load_words(const Rows& rows, Word* words) {
  const Words d;
  const std::size_t stride = rows.stride;
  const Rows fourth{rows.first, 4 * stride};
  const Word v0 = load_blocks<kLanes>(fourth);
  const Word v1 = load_blocks<kLanes>(fourth.at(stride));
  const Word v2 = load_blocks<kLanes>(fourth.at(2 * stride));
  const Word v3 = load_blocks<kLanes>(fourth.at(3 * stride));
  const Word low01 = hn::InterleaveLower(d, v0, v1);
  const Word low23 = hn::InterleaveLower(d, v2, v3);
  const Word high01 = hn::InterleaveUpper(d, v0, v1);
  const Word high23 = hn::InterleaveUpper(d, v2, v3);
  words[0] = pair_low(low01, low23);
  words[1] = pair_high(low01, low23);
  words[2] = pair_low(high01, high23);
  words[3] = pair_high(high01, high23);
}

#endif

// The word that `rows` begin with; 16 bytes are read.
HWY_INLINE Word load_first(const Rows& rows) {
  Word words[4];
  load_words(rows, words);
  return words[0];
}

// The half in the low 16 bits of each lane. Exact for all that is finite.
HWY_INLINE Float float_of_half(Word bits) {
  const Words d;
  const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, hn::Set(d, 0x7fffu)));
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(d, 0x8000u)));
  const auto value = hn::Mul(hn::BitCast(Floats(), magnitude), hn::Set(Floats(), 0x1p112f));
  return hn::Or(value, hn::BitCast(Floats(), sign));
}

HWY_INLINE Float float_of_int(Word value) {
  return hn::ConvertTo(Floats(), hn::BitCast(hn::RebindToSigned<Words>(), value));
}

HWY_INLINE Word low_nibbles(Word word) {
  return hn::And(word, hn::Set(Words(), 0x0f0f0f0fu));
}
HWY_INLINE Word high_nibbles(Word word) {
  return low_nibbles(hn::ShiftRight<4>(word));
}

// Bit 4 of byte b: bit 4 * step + b of `bits`.
HWY_INLINE Word fifth_bits(Word bits, std::size_t step) {
  const Words d;
  const auto four = hn::And(hn::ShiftRightSame(bits, static_cast<int>(4 * step)), hn::Set(d, 15u));
  const auto spread = hn::Mul(four, hn::Set(d, 0x204081u));
  return hn::ShiftLeft<4>(hn::And(spread, hn::Set(d, 0x01010101u)));
}

// What a format writes into the panel: the values, scales and minimums of one group.
struct GroupOut {
  std::uint32_t* values;
  float* scales;
  float* minimums;
  void value(std::size_t step, Word word) const {
    hn::Store(word, Words(), values + step * kLanes);
  }
  void scale(Float scale) const { hn::Store(scale, Floats(), scales); }
  void minimum(Float minimum) const { hn::Store(minimum, Floats(), minimums); }
};

template <std::size_t Group>
HWY_INLINE GroupOut group_out(const Place& place, std::size_t group) {
  Panel& panel = place.panel;
  const std::size_t at = place.group + group;
  return {panel.values + at * (Group / 4) * kLanes, panel.scales + at * kLanes,
          panel.minimums + at * kLanes};
}

struct Q8_0 {
  using Block = BlockQ8_0;
  static constexpr std::size_t kBlock = 32, kGroup = 32;
  static constexpr bool kMinimum = false;
  static HWY_INLINE void unpack(const Rows& rows, const Place& place) {
    const GroupOut out = group_out<kGroup>(place, 0);
    Word words[8];
    load_words(rows.at(2), words);
    load_words(rows.at(18), words + 4);
    const Word flip = hn::Set(Words(), 0x80808080u);
    for (std::size_t k = 0; k < 8; ++k) out.value(k, hn::Xor(words[k], flip));
    out.scale(float_of_half(load_first(rows)));
  }
};

// The four formats of nibbles, with or without a fifth bit or a minimum.
template <class StoredBlock, bool kFifth, bool kHasMinimum>
struct Nibbles {
  using Block = StoredBlock;
  static constexpr std::size_t kBlock = 32, kGroup = 32;
  static constexpr bool kMinimum = kHasMinimum;
  static HWY_INLINE void unpack(const Rows& rows, const Place& place) {
    const GroupOut out = group_out<kGroup>(place, 0);
    constexpr std::size_t kBits = kHasMinimum ? 4 : 2;
    Word words[4];
    load_words(rows.at(kBits + (kFifth ? 4 : 0)), words);
    const Word bits = kFifth ? load_first(rows.at(kBits)) : hn::Zero(Words());
    for (std::size_t k = 0; k < 4; ++k) {
      Word low = low_nibbles(words[k]);
      Word high = high_nibbles(words[k]);
      if constexpr (kFifth) {
        low = hn::Or(low, fifth_bits(bits, k));
        high = hn::Or(high, fifth_bits(bits, k + 4));
      }
      out.value(k, low);
      out.value(k + 4, high);
    }
    const Word halves = load_first(rows);
    out.scale(float_of_half(halves));
    if constexpr (kHasMinimum) out.minimum(float_of_half(hn::ShiftRight<16>(halves)));
  }
};

// Writes the scales and minimums of eight sub-blocks from the first 16 bytes of the block.
HWY_INLINE void unpack_sub_scales(const Rows& rows, const Place& place) {
  const Words d;
  Word head[4];
  load_words(rows, head);
  const Float scale = float_of_half(head[0]);
  const Float minimum = hn::Neg(float_of_half(hn::ShiftRight<16>(head[0])));
  for (std::size_t s = 0; s < 4; ++s) {
    const auto shifted = [&](std::size_t word, std::size_t bits) {
      return hn::ShiftRightSame(head[word], static_cast<int>(bits));
    };
    const auto masked = [&](Word word, std::uint32_t mask) {
      return hn::And(word, hn::Set(d, mask));
    };
    const GroupOut first = group_out<32>(place, s);
    first.scale(hn::Mul(scale, float_of_int(masked(shifted(1, 8 * s), 63))));
    first.minimum(hn::Mul(minimum, float_of_int(masked(shifted(2, 8 * s), 63))));
    const GroupOut second = group_out<32>(place, 4 + s);
    const Word high_scale = masked(shifted(1, 8 * s + 2), 48);
    const Word high_minimum = masked(shifted(2, 8 * s + 2), 48);
    const Word low_scale = masked(shifted(3, 8 * s), 15);
    const Word low_minimum = masked(shifted(3, 8 * s + 4), 15);
    second.scale(hn::Mul(scale, float_of_int(hn::Or(low_scale, high_scale))));
    second.minimum(hn::Mul(minimum, float_of_int(hn::Or(low_minimum, high_minimum))));
  }
}

template <class StoredBlock, bool kFifth>
struct LargeNibbles {
  using Block = StoredBlock;
  static constexpr std::size_t kBlock = 256, kGroup = 32;
  static constexpr bool kMinimum = true;
  static HWY_INLINE void unpack(const Rows& rows, const Place& place) {
    unpack_sub_scales(rows, place);
    const Word fifth = hn::Set(Words(), 0x10101010u);
    for (std::size_t half = 0; half < 2; ++half) {
      Word bits[4];
      if constexpr (kFifth) load_words(rows.at(16 + 16 * half), bits);
      for (std::size_t pair = 0; pair < 4; ++pair) {
        Word words[4];
        load_words(rows.at((kFifth ? 48 : 16) + 32 * pair + 16 * half), words);
        const GroupOut even = group_out<kGroup>(place, 2 * pair);
        const GroupOut odd = group_out<kGroup>(place, 2 * pair + 1);
        for (std::size_t k = 0; k < 4; ++k) {
          Word low = low_nibbles(words[k]);
          Word high = high_nibbles(words[k]);
          if constexpr (kFifth) {
            // The bit of the even sub-block comes to bit 4, that of the odd one above it.
            const Word moved = pair < 2
                                   ? hn::ShiftLeftSame(bits[k], static_cast<int>(4 - 2 * pair))
                                   : hn::ShiftRightSame(bits[k], static_cast<int>(2 * pair - 4));
            low = hn::Or(low, hn::And(moved, fifth));
            high = hn::Or(high, hn::And(hn::ShiftRight<1>(moved), fifth));
          }
          even.value(4 * half + k, low);
          odd.value(4 * half + k, high);
        }
      }
    }
  }
};

struct Q6_K {
  using Block = BlockQ6_K;
  static constexpr std::size_t kBlock = 256, kGroup = 16;
  static constexpr bool kMinimum = false;
  static HWY_INLINE void unpack(const Rows& rows, const Place& place) {
    unpack_scales(rows, place);
    for (std::size_t part = 0; part < 4; ++part) {
      const std::size_t half = part / 2, sub = part % 2;  // weights 16 * sub + 32 * quarter
      Word near[4], far[4], bits[4];
      load_words(rows.at(64 * half + 16 * sub), near);
      load_words(rows.at(64 * half + 32 + 16 * sub), far);
      load_words(rows.at(128 + 32 * half + 16 * sub), bits);
      for (std::size_t k = 0; k < 4; ++k) {
        const auto put = [&](std::size_t quarter, Word low, Word high) {
          const GroupOut out = group_out<kGroup>(place, 8 * half + 2 * quarter + sub);
          out.value(k, hn::Or(low, hn::And(high, hn::Set(Words(), 0x30303030u))));
        };
        put(0, low_nibbles(near[k]), hn::ShiftLeft<4>(bits[k]));
        put(1, low_nibbles(far[k]), hn::ShiftLeft<2>(bits[k]));
        put(2, high_nibbles(near[k]), bits[k]);
        put(3, high_nibbles(far[k]), hn::ShiftRight<2>(bits[k]));
      }
    }
  }

 private:
  static HWY_INLINE void unpack_scales(const Rows& rows, const Place& place) {
    Word scales[4], last[4];
    load_words(rows.at(192), scales);
    load_words(rows.at(194), last);
    const Float scale = float_of_half(hn::ShiftRight<16>(last[3]));
    const hn::RebindToSigned<Words> ints;
    for (std::size_t s = 0; s < 16; ++s) {
      const Word top = hn::ShiftLeftSame(scales[s / 4], static_cast<int>(24 - 8 * (s % 4)));
      const auto value = hn::ShiftRight<24>(hn::BitCast(ints, top));
      group_out<kGroup>(place, s).scale(hn::Mul(scale, hn::ConvertTo(Floats(), value)));
    }
  }
};

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
