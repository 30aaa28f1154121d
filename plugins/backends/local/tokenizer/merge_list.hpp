// SPDX-License-Identifier: Apache-2.0
// A file's list of merges: which pairs of tokens join, into which, and in what order. Immutable;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/tokenizer/merge_queue.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

class MergeList {
 public:
  // Each "left right". A merge of or into something that is no token can never be reached.
  MergeList(const Vocabulary& vocabulary, const MetadataArray& merges);
  std::optional<Merge> find(Token left, Token right) const;

 private:
  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace backplane::local
