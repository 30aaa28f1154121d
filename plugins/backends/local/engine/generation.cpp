// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/generation.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace backplane::local {

bool Generation::precedes(const Generation& other) const {
  return request_.priority != other.request_.priority ? request_.priority < other.request_.priority
                                                      : id_ < other.id_;
}

std::size_t Generation::prompt_left() const {
  const std::size_t left = tokens_.size() - computed_;
  return left == 1 && generated() > 0 ? 0 : left;
}

std::size_t Generation::pages_lacking(std::size_t count) const {
  const std::size_t needed = (computed_ + count + kPagePositions - 1) / kPagePositions;
  return needed > pages_.size() ? needed - pages_.size() : 0;
}

PagePlace Generation::place_of(std::size_t page) const {
  std::uint64_t adapter = 0;
  if (request_.adapter != nullptr) {
    adapter = request_.adapter->id() << 32U | std::bit_cast<std::uint32_t>(request_.adapter_scale);
  }
  return {adapter, page == 0 ? kNoPage : pages_[page - 1]};
}

PageTokens Generation::tokens_of(std::size_t page) const {
  return PageTokens(tokens_.data() + page * kPagePositions, kPagePositions);
}

std::size_t Generation::take_prefix(PagePool& pool) {
  if (!shares_pages() || !at_page_start() || published_ < pages_.size()) return 0;
  const std::size_t before = computed_;
  while (computed_ + kPagePositions < tokens_.size()) {
    const PageId page = pool.find(place_of(pages_.size()), tokens_of(pages_.size()));
    if (page == kNoPage) break;
    pages_.push_back(page);
    ++published_;
    computed_ += kPagePositions;
  }
  const std::size_t spared = computed_ - before;
  if (!restarted_) answer_.set_cached(static_cast<std::uint32_t>(cached_ += spared));
  return spared;
}

std::uint64_t Generation::next_page_hash() const {
  const std::size_t page = computed_ / kPagePositions;
  if (!shares_pages()) return 0;
  if ((page + 1) * kPagePositions >= tokens_.size() || published_ < page) return 0;
  return hash_of(place_of(page), tokens_of(page));
}

void Generation::publish(PagePool& pool) {
  while (publishes_ && (published_ + 1) * kPagePositions <= computed_) {
    const PageId page =
        pool.publish(pages_[published_], place_of(published_), tokens_of(published_));
    publishes_ = page != kNoPage;
    if (publishes_) pages_[published_++] = page;
  }
}

void Generation::release_pages(PagePool& pool) {
  std::for_each(pages_.rbegin(), pages_.rend(), [&](PageId page) { pool.release(page); });
  pages_.clear();
  published_ = 0;
  publishes_ = shares_pages();
  if (pooler_) pooler_->restart();
  restarted_ = begun_;
  if (!begun_) cached_ = 0;
  computed_ = 0;
}

void Generation::append_entries(std::size_t count, const Adaptation* adaptation,
                                std::vector<BatchEntry>& batch) {
  assert(count > 0 && count <= tokens_.size() - computed_ && pages_lacking(count) == 0);
  begun_ = true;
  states_wanted_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Token token = tokens_[computed_];
    const auto position = static_cast<std::uint32_t>(computed_++);
    const bool wants_state = pooler_ && pooler_->wants(position);
    if (wants_state) ++states_wanted_;
    batch.push_back({pages_.data(), position, token, wants_token(), wants_state, adaptation,
                     request_.adapter_scale});
  }
}

bool Generation::accept_states(kernels::ConstMatrix states, std::size_t& next) {
  for (; states_wanted_ > 0; --states_wanted_) pooler_->add({states.row(next++), states.columns});
  if (!pooler_ || computed_ < tokens_.size()) return false;
  answer_.end_pooled(pooler_->pooled());
  return true;
}

bool Generation::accept(std::span<const float> logits, const Tokenizer& tokenizer) {
  if (answer_.accept(logits, tokenizer)) return true;
  tokens_.push_back(answer_.last());
  return false;
}

std::int64_t Generation::note_token(std::int64_t now_ns) {
  return now_ns - std::exchange(last_token_ns_, now_ns);
}

}  // namespace backplane::local
