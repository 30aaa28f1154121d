// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/page_pool.hpp"

#include <algorithm>
#include <cassert>

namespace backplane::local {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t bits) {
  bits ^= bits >> 30;
  bits *= 0xbf58476d1ce4e5b9u;
  bits ^= bits >> 27;
  bits *= 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

}  // namespace

std::uint64_t hash_of(const PagePlace& place, PageTokens tokens) {
  std::uint64_t hash = mix(mix(place.adapter + 1) + place.before);
  for (const Token token : tokens) hash = mix(hash + static_cast<std::uint32_t>(token) + 1);
  return hash;
}

PageId PagePool::take() {
  assert(available() > 0);
  PageId page = kNoPage;
  if (!free_.empty()) {
    page = free_.back();
    free_.pop_back();
  } else if (pages_.size() < count_) {
    page = static_cast<PageId>(pages_.size());
    pages_.emplace_back();
  } else {
    page = oldest_;
    remove_cached(page);
    forget(page);
  }
  assert(pages_[page].owners == 0 && !pages_[page].published);
  pages_[page].owners = 1;
  ++used_;
  return page;
}

void PagePool::share(PageId page) {
  assert(pages_[page].owners > 0);
  ++pages_[page].owners;
}

void PagePool::release(PageId page) {
  assert(pages_[page].owners > 0);
  if (--pages_[page].owners > 0) return;
  --used_;
  if (pages_[page].published) {
    add_cached(page);
  } else {
    free_.push_back(page);
  }
}

PageId PagePool::find(const PagePlace& place, PageTokens tokens) {
  const PageId page = lookup(hash_(place, tokens), place, tokens);
  if (page == kNoPage) return kNoPage;
  if (pages_[page].owners == 0) {
    remove_cached(page);
    ++used_;
  }
  ++pages_[page].owners;
  return page;
}

PageId PagePool::publish(PageId page, const PagePlace& place, PageTokens tokens) {
  assert(pages_[page].owners > 0 && !pages_[page].published);
  assert(place.before == kNoPage || pages_[place.before].published);
  const std::uint64_t hash = hash_(place, tokens);
  const auto [found, is_new] = published_.try_emplace(hash, page);
  if (!is_new) {
    if (!holds(found->second, place, tokens)) return kNoPage;
    const PageId equal = find(place, tokens);
    release(page);
    return equal;
  }
  Page& own = pages_[page];
  own.published = true;
  own.place = place;
  own.hash = hash;
  std::copy(tokens.begin(), tokens.end(), own.tokens.begin());
  if (place.before != kNoPage) ++pages_[place.before].followers;
  return page;
}

bool PagePool::holds(PageId page, const PagePlace& place, PageTokens tokens) const {
  const Page& held = pages_[page];
  return held.place.adapter == place.adapter && held.place.before == place.before &&
         std::equal(tokens.begin(), tokens.end(), held.tokens.begin());
}

PageId PagePool::lookup(std::uint64_t hash, const PagePlace& place, PageTokens tokens) const {
  const auto found = published_.find(hash);
  if (found == published_.end() || !holds(found->second, place, tokens)) return kNoPage;
  return found->second;
}

void PagePool::add_cached(PageId page) {
  pages_[page].older = newest_;
  pages_[page].newer = kNoPage;
  (newest_ == kNoPage ? oldest_ : pages_[newest_].newer) = page;
  newest_ = page;
  ++cached_;
}

void PagePool::remove_cached(PageId page) {
  const Page& own = pages_[page];
  (own.older == kNoPage ? oldest_ : pages_[own.older].newer) = own.newer;
  (own.newer == kNoPage ? newest_ : pages_[own.newer].older) = own.older;
  --cached_;
}

void PagePool::forget(PageId page) {
  Page& own = pages_[page];
  assert(own.followers == 0);
  if (own.place.before != kNoPage) --pages_[own.place.before].followers;
  published_.erase(own.hash);
  own.published = false;
}

}  // namespace backplane::local
