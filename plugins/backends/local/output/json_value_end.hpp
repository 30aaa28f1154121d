// SPDX-License-Identifier: Apache-2.0
// Finds where a JSON value ends in text that comes in pieces, by its brackets and strings alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace backplane::local {

inline constexpr std::size_t kOutputDepthMax = 256;

enum class ScanState { kMore, kDone, kBad };

class JsonValueEnd {
 public:
  // The bytes of `text` that belong to the value. A number or a word ends before what follows it,
  // so it may be done by a piece of which nothing belongs to it.
  std::size_t push(std::string_view text);
  ScanState state() const { return state_; }

 private:
  void take(char c);

  ScanState state_ = ScanState::kMore;
  std::string open_;  // brackets
  bool begun_ = false;
  bool in_word_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace backplane::local
