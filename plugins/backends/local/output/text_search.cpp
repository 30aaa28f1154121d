// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/text_search.hpp"

#include <algorithm>

namespace backplane::local {

std::string_view trim_start(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
}

std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
}

std::string_view trim(std::string_view text) {
  return trim_start(trim_end(text));
}

std::size_t held_size(std::string_view text, std::string_view marker) {
  std::size_t size = marker.empty() ? 0 : std::min(marker.size() - 1, text.size());
  while (size > 0 && !text.ends_with(marker.substr(0, size))) --size;
  const std::string_view before = text.substr(0, text.size() - size);
  return text.size() - trim_end(before).size();
}

}  // namespace backplane::local
