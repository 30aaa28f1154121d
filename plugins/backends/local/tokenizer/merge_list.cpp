// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/merge_list.hpp"

#include <string>

namespace backplane::local {
namespace {

std::uint64_t pair_key(Token left, Token right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

}  // namespace

MergeList::MergeList(const Vocabulary& vocabulary, const MetadataArray& merges) {
  merges_.reserve(merges.strings.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.strings.size(); ++rank) {
    const std::string_view text = merges.strings[rank];
    const std::size_t space = text.find(' ', 1);
    if (space == std::string_view::npos) continue;
    joined.assign(text.substr(0, space)).append(text.substr(space + 1));
    const auto left = vocabulary.find(text.substr(0, space));
    const auto right = vocabulary.find(text.substr(space + 1));
    const auto token = vocabulary.find(joined);
    if (!left || !right || !token) continue;
    merges_.emplace(pair_key(*left, *right), Merge{static_cast<double>(rank), *token});
  }
}

std::optional<Merge> MergeList::find(Token left, Token right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace backplane::local
