// SPDX-License-Identifier: Apache-2.0
// One admitted request: what is in its cache and what comes next. The engine's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plugins/backends/local/engine/answer.hpp"
#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class Generation {
 public:
  Generation(RequestId id, GenerateRequest request, StreamListener& listener)
      : id_(id), request_(std::move(request)), answer_(request_, listener) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  RequestId id() const { return id_; }
  StreamListener& listener() const { return answer_.listener(); }
  // Positions its cache must hold.
  std::size_t positions() const { return request_.prompt_tokens.size() + request_.max_tokens; }
  std::vector<PageId>& pages() { return pages_; }

  // Prompt tokens that are not in the cache yet; 0 once tokens are being generated.
  std::size_t prompt_left() const;
  // Appends the next `count` prompt tokens, or the last generated token, to a batch.
  void append_entries(std::size_t count, std::vector<BatchEntry>& batch);
  // Takes the logits of its last entry. True when the request is over; the listener has heard its
  // end then.
  bool accept(std::span<const float> logits, const Tokenizer& tokenizer) {
    return answer_.accept(logits, tokenizer);
  }
  // Ends it early.
  void cancel() { answer_.cancel(); }

 private:
  RequestId id_;
  GenerateRequest request_;
  Answer answer_;
  std::vector<PageId> pages_;
  std::uint32_t position_ = 0;  // tokens in the cache
};

}  // namespace backplane::local
