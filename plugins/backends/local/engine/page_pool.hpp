// SPDX-License-Identifier: Apache-2.0
// The books of the cache's pages: who has which, and which prefixes they hold. A full page may be
// published: later sequences that begin with the same tokens share it instead of computing it
// again. Pages that nobody has stay published until their place is needed; the one unused for
// longest goes first.
//
// A page is found by its place in a chain: the adapter its keys and values were computed with, the
// page before it, and its own tokens. A hash finds it, these three are compared.
//
// Threads: one. Knows nothing of the memory itself (KvPages).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

inline constexpr PageId kNoPage = UINT32_MAX;

using PageTokens = std::span<const Token, kPagePositions>;

// Where a page stands: what it holds follows from this and the model alone.
struct PagePlace {
  std::uint64_t adapter = 0;
  PageId before = kNoPage;  // kNoPage: it is the first of its sequence
};

std::uint64_t hash_of(const PagePlace& place, PageTokens tokens);

class PagePool {
 public:
  using Hash = std::uint64_t (*)(const PagePlace&, PageTokens);
  explicit PagePool(std::size_t count, Hash hash = &hash_of) : count_(count), hash_(hash) {}

  std::size_t count() const { return count_; }
  std::size_t used() const { return used_; }                // by somebody
  std::size_t available() const { return count_ - used_; }  // for take()
  std::size_t cached() const { return cached_; }            // by nobody, but published

  // A page of one's own, its contents undefined; at least one must be available.
  PageId take();
  // One more owner for a page that has one.
  void share(PageId page);
  // Of a sequence the last page goes first, so that no page is forgotten before those after it.
  void release(PageId page);

  // The published page at this place, or kNoPage. The caller becomes an owner.
  PageId find(const PagePlace& place, PageTokens tokens);
  // Publishes a page of the caller's, full with these tokens. Where an equal one is published the
  // caller gets that one in exchange. kNoPage, and the page stays private, where it cannot be
  // found: its hash is another's.
  PageId publish(PageId page, const PagePlace& place, PageTokens tokens);

 private:
  struct Page {
    std::uint32_t owners = 0;
    bool published = false;
    std::uint32_t followers = 0;  // published pages whose `before` this is
    PagePlace place;
    std::array<Token, kPagePositions> tokens{};
    std::uint64_t hash = 0;
    PageId older = kNoPage, newer = kNoPage;  // among the cached
  };
  bool holds(PageId page, const PagePlace& place, PageTokens tokens) const;
  PageId lookup(std::uint64_t hash, const PagePlace& place, PageTokens tokens) const;
  void add_cached(PageId page);
  void remove_cached(PageId page);
  void forget(PageId page);

  std::size_t count_;
  Hash hash_;
  std::vector<Page> pages_;  // grows as pages are first taken
  std::vector<PageId> free_;
  std::unordered_map<std::uint64_t, PageId> published_;
  PageId oldest_ = kNoPage, newest_ = kNoPage;
  std::size_t used_ = 0;
  std::size_t cached_ = 0;
};

}  // namespace backplane::local
