// SPDX-License-Identifier: Apache-2.0
// Bytes that nobody may find again: wiped when dropped, never copied, never printed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace backplane::sealing {

// Overwrites in a way that no compiler leaves out.
void wipe(std::span<std::uint8_t> bytes);
void wipe(std::string& text);

template <std::size_t Size>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, Size> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  ~Secret() { wipe(bytes_); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    wipe(other.bytes_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::span<std::uint8_t, Size> bytes() { return bytes_; }
  std::span<const std::uint8_t, Size> bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, Size> bytes_{};
};

}  // namespace backplane::sealing
