// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/token_trie.hpp"

#include <algorithm>

namespace backplane::local {

TokenTrie::TokenTrie(const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary_size_ = vocabulary.size();
  token_bytes_.resize(vocabulary_size_);
  every_token_.assign(mask_words(), 0);
  std::vector<ByteTrie::Entry> entries;
  for (std::size_t i = 0; i < vocabulary_size_; ++i) {
    const auto token = static_cast<Token>(i);
    if (vocabulary.ends_generation(token)) {
      ending_.push_back(token);
      continue;
    }
    std::string bytes = tokenizer.piece(token);
    // A byte token could spell a control token with it.
    if (bytes.find(static_cast<char>(kControlByte)) != std::string::npos) continue;
    if (bytes.empty() && vocabulary.type(token) == TokenType::kControl) {
      const char mark = static_cast<char>(kControlByte);
      bytes = mark + std::string(vocabulary.text(token)) + mark;
    }
    if (bytes.empty() || bytes.size() > 0xffff) continue;
    token_bytes_[i] = bytes;
    set_bit(every_token_, static_cast<std::uint32_t>(i));
    entries.push_back({std::move(bytes), static_cast<std::uint32_t>(i)});
  }
  tokens_ = ByteTrie(std::move(entries));
  in_strings_ = StringTokens(tokens_, mask_words());
}

bool TokenTrie::ends_generation(Token token) const {
  return std::binary_search(ending_.begin(), ending_.end(), token);
}

}  // namespace backplane::local
