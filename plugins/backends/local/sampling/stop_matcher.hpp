// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of text at the first stop string, however the text is cut into pieces. Text that
// may yet turn out to begin a stop string is held back; no part of one ever comes out. Of several
// stop strings the one that is complete first wins, of those the longest.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

class StopMatcher {
 public:
  // No stop string may be empty.
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}
  // The text that is now certain to belong to the output.
  std::string push(std::string_view text);
  // What was held back, when the stream ends without a match.
  std::string flush();
  bool matched() const { return matched_; }

 private:
  std::size_t held_size() const;
  std::vector<std::string> stops_;
  std::string pending_;
  bool matched_ = false;
};

}  // namespace backplane::local
