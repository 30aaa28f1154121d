// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/answer.hpp"

#include <algorithm>
#include <cmath>

namespace backplane::local {
namespace {

std::vector<Token> ending_tokens(const Vocabulary& vocabulary) {
  std::vector<Token> ends;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto token = static_cast<Token>(i);
    if (vocabulary.ends_generation(token)) ends.push_back(token);
  }
  return ends;
}

}  // namespace

Status check_answer(const GenerateRequest& request, std::size_t vocabulary) {
  if (request.stop_tokens.size() > kStopTokensMax) {
    return invalid_argument("stop_token_ids: at most " + std::to_string(kStopTokensMax) +
                            " are allowed");
  }
  for (const Token token : request.stop_tokens) {
    if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
    return invalid_argument("stop_token_ids: " + std::to_string(token) +
                            " is not in the vocabulary of " + std::to_string(vocabulary));
  }
  if (request.top_logprobs.value_or(0) > kTopLogprobsMax) {
    return invalid_argument("top_logprobs must be at most " + std::to_string(kTopLogprobsMax));
  }
  return check(request.sampling, vocabulary);
}

Answer::Answer(const GenerateRequest& request, StreamListener& listener)
    : request_(request),
      listener_(listener),
      sampler_(request.sampling, request.prompt_tokens),
      stops_(request.stop) {
  usage_.prompt_tokens = static_cast<std::uint32_t>(request.prompt_tokens.size());
  if (request.grammar == nullptr) return;
  constraint_ = make_constraint(request.grammar, *request.trie);
  allowed_.resize(request.trie->mask_words());
}

bool Answer::accept(std::span<const float> logits, const Tokenizer& tokenizer) {
  last_ = pick(logits, tokenizer);
  if (!std::isfinite(logits[static_cast<std::size_t>(last_)])) {
    listener_.on_error({Code::kInternal,
                        "the model's output is not finite numbers; its file, or the adapter's, is "
                        "damaged",
                        {},
                        0,
                        0});
    return true;
  }
  ++usage_.completion_tokens;
  if (ends(tokenizer)) {
    finish(FinishReason::kStop);
    return true;
  }
  if (constraint_) constraint_->accept(last_);
  note_logprobs(logits);
  const std::string text = detokenizer_.push(text_of(tokenizer));
  heard_bytes_ += text.size();
  say(stops_.push(text));
  const bool is_whole = stops_.matched() || (constraint_ && constraint_->is_over());
  if (!is_whole && usage_.completion_tokens < request_.max_tokens) return false;
  finish(is_whole ? FinishReason::kStop : FinishReason::kLength);
  return true;
}

Token Answer::pick(std::span<const float> logits, const Tokenizer& tokenizer) {
  const bool goes_on = request_.ignore_eos || usage_.completion_tokens < request_.min_tokens;
  if (!goes_on) {
    ends_.clear();
  } else if (ends_.empty()) {
    ends_ = ending_tokens(tokenizer.vocabulary());
    ends_.insert(ends_.end(), request_.stop_tokens.begin(), request_.stop_tokens.end());
  }
  if (!constraint_) return sampler_.pick(logits, {{}, ends_});
  std::fill(allowed_.begin(), allowed_.end(), ~std::uint64_t{0});
  constraint_->restrict(allowed_);
  return sampler_.pick(logits, {allowed_, ends_});
}

bool Answer::ends(const Tokenizer& tokenizer) const {
  return tokenizer.vocabulary().ends_generation(last_) ||
         std::binary_search(request_.stop_tokens.begin(), request_.stop_tokens.end(), last_);
}

std::string_view Answer::text_of(const Tokenizer& tokenizer) {
  const std::vector<Token>& shown = request_.shown_tokens;
  if (std::binary_search(shown.begin(), shown.end(), last_)) {
    return tokenizer.vocabulary().text(last_);
  }
  piece_ = tokenizer.piece(last_);
  return piece_;
}

void Answer::note_logprobs(std::span<const float> logits) {
  if (!request_.top_logprobs) return;
  logprobs_.push(logprobs_of(logits, last_, *request_.top_logprobs), heard_bytes_);
}

void Answer::end_pooled(std::span<const float> vector) {
  listener_.on_embedding(vector);
  listener_.on_finish(FinishReason::kStop, usage_);
}

void Answer::cancel() {
  listener_.on_finish(FinishReason::kCancelled, usage_);
}

void Answer::say(const std::string& text, bool is_last) {
  said_bytes_ += text.size();
  const auto& logprobs = is_last ? logprobs_.take_all() : logprobs_.take_before(said_bytes_);
  if (text.empty() && logprobs.empty()) return;
  const std::uint32_t tokens = usage_.completion_tokens - said_tokens_;
  said_tokens_ = usage_.completion_tokens;
  listener_.on_piece({text, tokens, logprobs});
}

// What was held back belongs to the output unless a stop string cut it off.
void Answer::finish(FinishReason reason) {
  if (!stops_.matched()) {
    std::string rest = stops_.push(detokenizer_.flush());
    const bool stopped = stops_.matched();
    if (stopped)
      reason = FinishReason::kStop;
    else
      rest += stops_.flush();
    say(rest, !stopped);
  }
  listener_.on_finish(reason, usage_);
}

}  // namespace backplane::local
