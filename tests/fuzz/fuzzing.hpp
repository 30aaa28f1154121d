// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: cutting an input where the fuzzer wants it cut, and saying no.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace backplane::fuzz {

// Ends the process, so that the fuzzer keeps the input, unless `holds`.
inline void expect(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline void expect_same(std::string_view left, std::string_view right, std::string_view what) {
  if (left == right) return;
  std::fprintf(stderr, "--- one way\n%.*s\n--- the other way\n%.*s\n",
               static_cast<int>(left.size()), left.data(), static_cast<int>(right.size()),
               right.data());
  expect(false, what);
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The input but for its last byte, which says how the rest is cut into pieces.
class Pieces {
 public:
  Pieces(const std::uint8_t* data, std::size_t size) {
    const std::string_view all = text_of(data, size);
    bytes_ = all.substr(0, size == 0 ? 0 : size - 1);
    seed_ = size == 0 ? 0 : data[size - 1];
  }
  std::string_view whole() const { return bytes_; }

  // Calls `take(piece)` for one piece after the other until it gives false.
  template <class Take>
  void each(Take take) const {
    static constexpr std::size_t kMaxBytes[] = {1, 7, 64, 512};
    const std::size_t most = kMaxBytes[seed_ & 3];
    std::uint32_t random = seed_ + 1;
    for (std::string_view rest = bytes_; !rest.empty();) {
      random = random * 1664525 + 1013904223;
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + (random >> 16) % most);
      if (!take(rest.substr(0, size))) return;
      rest.remove_prefix(size);
    }
  }

 private:
  std::string_view bytes_;
  std::uint32_t seed_ = 0;
};

}  // namespace backplane::fuzz
