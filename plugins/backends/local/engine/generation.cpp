// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/generation.hpp"

#include <cassert>

namespace backplane::local {

std::size_t Generation::prompt_left() const {
  const std::size_t size = request_.prompt_tokens.size();
  return position_ < size ? size - position_ : 0;
}

void Generation::append_entries(std::size_t count, std::vector<BatchEntry>& batch) {
  assert(cache_ != nullptr && count > 0);
  if (prompt_left() == 0) {
    assert(count == 1);
    batch.push_back({cache_.get(), position_++, last_, true});
    return;
  }
  assert(count <= prompt_left());
  for (std::size_t i = 0; i < count; ++i) {
    const Token token = request_.prompt_tokens[position_];
    batch.push_back({cache_.get(), position_++, token, prompt_left() == 0});
  }
}

bool Generation::accept(std::span<const float> logits, const Tokenizer& tokenizer) {
  last_ = sampler_.pick(logits);
  ++usage_.completion_tokens;
  if (tokenizer.vocabulary().ends_generation(last_)) {
    finish(FinishReason::kStop);
    return true;
  }
  say(stops_.push(detokenizer_.push(tokenizer.piece(last_))));
  if (!stops_.matched() && usage_.completion_tokens < request_.max_tokens) return false;
  finish(stops_.matched() ? FinishReason::kStop : FinishReason::kLength);
  return true;
}

void Generation::cancel() {
  listener_.on_finish(FinishReason::kCancelled, usage_);
}

void Generation::say(const std::string& text) {
  if (!text.empty()) listener_.on_text(text);
}

// What was held back belongs to the output unless a stop string cut it off.
void Generation::finish(FinishReason reason) {
  if (!stops_.matched()) {
    std::string rest = stops_.push(detokenizer_.flush());
    if (stops_.matched())
      reason = FinishReason::kStop;
    else
      rest += stops_.flush();
    say(rest);
  }
  listener_.on_finish(reason, usage_);
}

}  // namespace backplane::local
