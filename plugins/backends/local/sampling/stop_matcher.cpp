// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/stop_matcher.hpp"

#include <algorithm>
#include <utility>

namespace backplane::local {

std::string StopMatcher::push(std::string_view text) {
  if (matched_) return {};
  pending_ += text;
  std::size_t end = std::string::npos;
  std::size_t begin = std::string::npos;
  for (const std::string& stop : stops_) {
    const std::size_t found = pending_.find(stop);
    if (found == std::string::npos) continue;
    const std::size_t found_end = found + stop.size();
    if (begin == std::string::npos || found_end < end || (found_end == end && found < begin)) {
      begin = found;
      end = found_end;
    }
  }
  matched_ = begin != std::string::npos;
  const std::size_t size = matched_ ? begin : pending_.size() - held_size();
  std::string out = pending_.substr(0, size);
  pending_.erase(0, matched_ ? pending_.size() : size);
  return out;
}

std::string StopMatcher::flush() {
  return std::exchange(pending_, {});
}

// The longest end of the text that begins a stop string.
std::size_t StopMatcher::held_size() const {
  std::size_t held = 0;
  for (const std::string& stop : stops_) {
    std::size_t size = std::min(stop.size() - 1, pending_.size());
    const std::string_view text = pending_;
    while (size > held && !text.ends_with(std::string_view(stop).substr(0, size))) --size;
    held = std::max(held, size);
  }
  return held;
}

}  // namespace backplane::local
