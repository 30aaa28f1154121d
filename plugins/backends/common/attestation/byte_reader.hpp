// SPDX-License-Identifier: Apache-2.0
// Reads little-endian fields from bytes that may be too short: then everything is zero and
// is_short() stays true.
#pragma once

#include <algorithm>

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : rest_(bytes) {}

  BytesView take(std::size_t count) {
    is_short_ = is_short_ || count > rest_.size();
    if (is_short_) return {};
    const BytesView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  template <std::size_t kSize>
  void read(Field<kSize>& field) {
    const BytesView taken = take(kSize);
    std::copy(taken.begin(), taken.end(), field.begin());
  }

  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return number(4); }
  void skip(std::size_t count) { take(count); }

  bool is_short() const { return is_short_; }
  std::size_t left() const { return is_short_ ? 0 : rest_.size(); }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : take(size)) {
      value |= static_cast<std::uint32_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }

  BytesView rest_;
  bool is_short_ = false;
};

}  // namespace backplane::attestation
