// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/generation.hpp"

#include <cassert>

namespace backplane::local {

std::size_t Generation::prompt_left() const {
  const std::size_t size = request_.prompt_tokens.size();
  return position_ < size ? size - position_ : 0;
}

void Generation::append_entries(std::size_t count, std::vector<BatchEntry>& batch) {
  assert(!pages_.empty() && count > 0);
  if (prompt_left() == 0) {
    assert(count == 1);
    batch.push_back({pages_.data(), position_++, answer_.last(), true});
    return;
  }
  assert(count <= prompt_left());
  for (std::size_t i = 0; i < count; ++i) {
    const Token token = request_.prompt_tokens[position_];
    batch.push_back({pages_.data(), position_++, token, prompt_left() == 0});
  }
}

}  // namespace backplane::local
