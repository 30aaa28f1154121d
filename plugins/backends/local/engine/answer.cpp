// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/answer.hpp"

namespace backplane::local {

Answer::Answer(const GenerateRequest& request, StreamListener& listener)
    : request_(request), listener_(listener), sampler_(request.sampling), stops_(request.stop) {
  usage_.prompt_tokens = static_cast<std::uint32_t>(request.prompt_tokens.size());
}

bool Answer::accept(std::span<const float> logits, const Tokenizer& tokenizer) {
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

void Answer::cancel() {
  listener_.on_finish(FinishReason::kCancelled, usage_);
}

void Answer::say(const std::string& text) {
  if (!text.empty()) listener_.on_piece({text});
}

// What was held back belongs to the output unless a stop string cut it off.
void Answer::finish(FinishReason reason) {
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
