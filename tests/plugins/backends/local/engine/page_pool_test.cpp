// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/page_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace backplane::local {
namespace {

using Tokens = std::array<Token, kPagePositions>;

Tokens tokens_from(Token first) {
  Tokens tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = first + static_cast<Token>(i);
  return tokens;
}

TEST(PagePool, GivesEachPageToOneAndTakesThemBack) {
  PagePool pool(3);
  std::set<PageId> taken;
  for (int i = 0; i < 3; ++i) taken.insert(pool.take());
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_LT(*taken.rbegin(), 3U);
  EXPECT_EQ(pool.available(), 0U);
  for (const PageId page : taken) pool.release(page);
  EXPECT_EQ(pool.used(), 0U);
  EXPECT_EQ(pool.cached(), 0U) << "a page that was not published is not kept";
  EXPECT_EQ(pool.available(), 3U);
}

TEST(PagePool, APublishedPageIsFoundWhileItIsUsedAndAfter) {
  PagePool pool(4);
  const PageId first = pool.take();
  EXPECT_EQ(pool.find({}, tokens_from(1)), kNoPage);
  EXPECT_EQ(pool.publish(first, {}, tokens_from(1)), first);
  EXPECT_EQ(pool.find({}, tokens_from(1)), first);
  pool.release(first);
  EXPECT_EQ(pool.used(), 1U) << "it has another owner";
  pool.release(first);
  EXPECT_EQ(pool.used(), 0U);
  EXPECT_EQ(pool.cached(), 1U);
  EXPECT_EQ(pool.find({}, tokens_from(1)), first);
  EXPECT_EQ(pool.cached(), 0U);
  pool.release(first);
}

TEST(PagePool, TokensPlaceAndAdapterMustAllBeEqual) {
  PagePool pool(4);
  const PageId first = pool.take();
  const PageId second = pool.take();
  pool.publish(first, {}, tokens_from(1));
  pool.publish(second, {0, first}, tokens_from(1));
  EXPECT_EQ(pool.find({}, tokens_from(2)), kNoPage);
  EXPECT_EQ(pool.find({7, kNoPage}, tokens_from(1)), kNoPage);
  EXPECT_EQ(pool.find({0, second}, tokens_from(1)), kNoPage);
  EXPECT_EQ(pool.find({0, first}, tokens_from(1)), second);
}

TEST(PagePool, AnEqualPageIsExchangedForThePublishedOne) {
  PagePool pool(4);
  const PageId first = pool.take();
  const PageId twin = pool.take();
  pool.publish(first, {}, tokens_from(1));
  EXPECT_EQ(pool.publish(twin, {}, tokens_from(1)), first);
  EXPECT_EQ(pool.used(), 1U);
  pool.release(first);
  pool.release(first);
  EXPECT_EQ(pool.used(), 0U);
}

// Where all hashes are equal only the comparison keeps them apart.
TEST(PagePool, AHashAloneFindsNothing) {
  PagePool pool(4, [](const PagePlace&, PageTokens) { return std::uint64_t{1}; });
  const PageId first = pool.take();
  const PageId other = pool.take();
  EXPECT_EQ(pool.publish(first, {}, tokens_from(1)), first);
  EXPECT_EQ(pool.publish(other, {}, tokens_from(2)), kNoPage);
  EXPECT_EQ(pool.find({}, tokens_from(2)), kNoPage);
  EXPECT_EQ(pool.find({9, kNoPage}, tokens_from(1)), kNoPage);
  EXPECT_EQ(pool.find({}, tokens_from(1)), first);
}

TEST(PagePool, ForgetsTheOneUnusedForLongestAndNoPageBeforeThoseAfterIt) {
  PagePool pool(4);
  const auto chain = [&](Token token) {
    const PageId first = pool.take();
    const PageId second = pool.take();
    pool.publish(first, {}, tokens_from(token));
    pool.publish(second, {0, first}, tokens_from(token));
    pool.release(second);
    pool.release(first);
    return first;
  };
  const PageId old = chain(1);
  const PageId recent = chain(100);
  EXPECT_EQ(pool.cached(), 4U);
  pool.take();
  EXPECT_EQ(pool.find({0, old}, tokens_from(1)), kNoPage) << "the end of the older chain";
  EXPECT_EQ(pool.find({}, tokens_from(1)), old);
  pool.release(old);
  pool.take();
  EXPECT_EQ(pool.find({0, recent}, tokens_from(100)), kNoPage) << "now older than the other";
  pool.take();
  EXPECT_EQ(pool.find({}, tokens_from(100)), kNoPage);
  EXPECT_EQ(pool.find({}, tokens_from(1)), old);
}

}  // namespace
}  // namespace backplane::local
