// SPDX-License-Identifier: Apache-2.0
// One request on its way through the engine: its tokens, those of them whose keys and values are in
// the cache, and the pages that hold these. The engine's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plugins/backends/local/engine/answer.hpp"
#include "plugins/backends/local/engine/page_pool.hpp"
#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class Generation {
 public:
  // `arrived_ns`: on the steady clock.
  Generation(RequestId id, GenerateRequest request, StreamListener& listener,
             std::int64_t arrived_ns)
      : id_(id),
        request_(std::move(request)),
        answer_(request_, listener),
        tokens_(request_.prompt_tokens),
        publishes_(shares_pages()),
        last_token_ns_(arrived_ns) {
    if (request_.pooling) pooler_.emplace(*request_.pooling, tokens_.size());
  }
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  RequestId id() const { return id_; }
  const GenerateRequest& request() const { return request_; }
  StreamListener& listener() const { return answer_.listener(); }
  // Something was computed for it.
  bool begun() const { return begun_; }
  bool paused() const { return paused_; }
  void set_paused(bool paused) { paused_ = paused; }
  // Whether it goes before `other`: the more urgent, then the older.
  bool precedes(const Generation& other) const;

  // Tokens that are to be computed before the next one can be picked; 0 where that is just one, of
  // its own: a stream.
  std::size_t prompt_left() const;
  // Pages it still lacks for its tokens up to `count` more than are computed.
  std::size_t pages_lacking(std::size_t count) const;
  // Pages it lacks for all of its tokens and the next one.
  std::size_t pages_to_grow() const { return pages_lacking(tokens_.size() - computed_ + 1); }
  void add_page(PageId page) { pages_.push_back(page); }

  // Takes published pages of the pool for the tokens that come next, as long as there are any and
  // at least one token is left to compute. Returns how many tokens that spares.
  std::size_t take_prefix(PagePool& pool);
  // The hash of the page that it would take, or is computing, next, if its tokens are known; else
  // 0.
  std::uint64_t next_page_hash() const;
  // None of the next page is computed yet.
  bool at_page_start() const { return computed_ == pages_.size() * kPagePositions; }
  // Publishes the pages that are full.
  void publish(PagePool& pool);
  // Gives all pages back; what it computed is to be computed again.
  void release_pages(PagePool& pool);

  // Appends the next `count` tokens, for which it has pages, to a batch. The last of all wants
  // logits, or those that are pooled their states. `adaptation` is that of its adapter.
  void append_entries(std::size_t count, const Adaptation* adaptation,
                      std::vector<BatchEntry>& batch);
  // All of its tokens are computed: the next one can be picked.
  bool wants_token() const { return !pooler_ && computed_ == tokens_.size(); }
  // Takes the states that its entries of the last batch wanted, from row `next` on, and moves that
  // on. True when the request is over; the listener has heard its end then.
  bool accept_states(kernels::ConstMatrix states, std::size_t& next);
  // Takes the logits of its last entry. True when the request is over; the listener has heard its
  // end then.
  bool accept(std::span<const float> logits, const Tokenizer& tokenizer);
  // Ends it early.
  void cancel() { answer_.cancel(); }

  // Tokens picked so far.
  std::size_t generated() const { return tokens_.size() - request_.prompt_tokens.size(); }
  // Notes that a token was picked now; returns the time since the one before, or since arrival.
  std::int64_t note_token(std::int64_t now_ns);

 private:
  // A text whose every token is pooled can take none from the cache, and leaves it to those that
  // can.
  bool shares_pages() const { return !request_.pooling || *request_.pooling == Pooling::kLast; }
  PagePlace place_of(std::size_t page) const;
  PageTokens tokens_of(std::size_t page) const;

  RequestId id_;
  GenerateRequest request_;
  Answer answer_;
  std::optional<Pooler> pooler_;
  std::size_t states_wanted_ = 0;  // by its entries of the last batch
  std::vector<Token> tokens_;      // of the prompt, then those picked
  std::size_t computed_ = 0;       // of them: their keys and values are in the cache
  std::vector<PageId> pages_;
  std::size_t published_ = 0;  // of the pages, from the first on
  bool publishes_;
  bool begun_ = false;      // something was computed for it
  bool restarted_ = false;  // ... and given back
  std::size_t cached_ = 0;  // tokens of the prompt that were spared before that
  bool paused_ = false;
  std::int64_t last_token_ns_;
};

}  // namespace backplane::local
