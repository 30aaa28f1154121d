// SPDX-License-Identifier: Apache-2.0
// The answer to one request: picks its tokens, makes text of them, ends it where it is to end, and
// tells the listener. Knows nothing of caches and batches. The engine's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "plugins/backends/local/engine/generate_request.hpp"
#include "plugins/backends/local/engine/pending_logprobs.hpp"
#include "plugins/backends/local/engine/stream_listener.hpp"
#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/sampling/stop_matcher.hpp"
#include "plugins/backends/local/tokenizer/detokenizer.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

// What `request` asks of its answer, by a vocabulary of so many tokens; kInvalidArgument.
Status check_answer(const GenerateRequest& request, std::size_t vocabulary);

class Answer {
 public:
  // `request` and `listener` outlive the answer.
  Answer(const GenerateRequest& request, StreamListener& listener);

  StreamListener& listener() const { return listener_; }
  // Takes the logits of what comes after all tokens so far: picks a token and tells the listener.
  // True when the answer is over; the listener has heard its end then.
  bool accept(std::span<const float> logits, const Tokenizer& tokenizer);
  // The token accept() picked.
  Token last() const { return last_; }
  // That many tokens of the prompt were found in the cache.
  void set_cached(std::uint32_t tokens) { usage_.cached_prompt_tokens = tokens; }
  // Ends one that generates nothing.
  void end_pooled(std::span<const float> vector);
  // Ends it early.
  void cancel();

 private:
  Token pick(std::span<const float> logits, const Tokenizer& tokenizer);
  bool ends(const Tokenizer& tokenizer) const;
  std::string_view text_of(const Tokenizer& tokenizer);
  void note_logprobs(std::span<const float> logits);
  void say(const std::string& text, bool is_last = false);
  void finish(FinishReason reason);

  const GenerateRequest& request_;
  StreamListener& listener_;
  Sampler sampler_;
  std::unique_ptr<Constraint> constraint_;  // null: none
  std::vector<std::uint64_t> allowed_;      // by it
  Detokenizer detokenizer_;
  StopMatcher stops_;
  PendingLogprobs logprobs_;
  std::vector<Token> ends_;      // what is not to be picked yet, or never
  std::string piece_;            // of the last token
  std::size_t heard_bytes_ = 0;  // of text, from the detokenizer
  std::size_t said_bytes_ = 0;   // ... that came out of the stops
  std::uint32_t said_tokens_ = 0;
  Token last_ = 0;
  Usage usage_;
};

}  // namespace backplane::local
