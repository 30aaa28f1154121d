// SPDX-License-Identifier: Apache-2.0
// What is kept, for how long and how much of it.
#include "runtime/pipeline/cache/response_cache.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>

namespace backplane::test {
namespace {

constexpr std::int64_t kForever = INT64_MAX;
constexpr std::uint64_t kShard = 64 * 1024;  // bytes

CacheKey key_of(unsigned char shard, unsigned char number) {
  CacheKey key;
  key.digest[0] = shard;
  key.digest[31] = number;
  return key;
}

SharedAnswer answer_of(std::size_t bytes, std::int64_t made_ns = 0) {
  auto answer = std::make_shared<CachedAnswer>();
  const std::string data(bytes, 'x');
  bp_event event{};
  event.type = BP_EVENT_BODY;
  event.data = str(data);
  answer->add(event);
  answer->close();
  answer->made_ns = made_ns;
  return answer;
}

std::unique_ptr<ResponseCache> small() {
  auto cache = std::make_unique<ResponseCache>();
  cache->set_bounds({kShard * ResponseCache::kShards, kShard});
  return cache;
}

TEST(ResponseCache, AnAnswerIsFoundUntilItIsTooOldForWhoAsks) {
  const auto cache = small();
  const SharedAnswer kept = answer_of(10, 100);
  cache->keep(key_of(1, 1), kept);
  EXPECT_EQ(cache->find(key_of(1, 1), 109, 10), kept);
  EXPECT_EQ(cache->find(key_of(1, 1), 110, 10), nullptr);
  EXPECT_EQ(cache->find(key_of(1, 1), 110, 11), kept) << "another may be content with it";
  EXPECT_EQ(cache->find(key_of(1, 1), 100, 0), nullptr);
  EXPECT_EQ(cache->find(key_of(1, 2), 100, kForever), nullptr);
  EXPECT_EQ(cache->find(key_of(2, 1), 100, kForever), nullptr);
}

TEST(ResponseCache, ANewAnswerTakesThePlaceOfTheOldOne) {
  const auto cache = small();
  cache->keep(key_of(1, 1), answer_of(1000));
  const SharedAnswer later = answer_of(10);
  cache->keep(key_of(1, 1), later);
  EXPECT_EQ(cache->find(key_of(1, 1), 0, kForever), later);
  EXPECT_EQ(cache->size().answers, 1U);
  EXPECT_LT(cache->size().bytes, 1000U);
  EXPECT_EQ(cache->evictions(), 0U);
}

TEST(ResponseCache, TheLeastRecentlyUsedGoesFirst) {
  const auto cache = small();
  for (unsigned char i = 0; i < 6; ++i) cache->keep(key_of(1, i), answer_of(10'000));
  EXPECT_NE(cache->find(key_of(1, 0), 0, kForever), nullptr);
  cache->keep(key_of(1, 6), answer_of(10'000));
  EXPECT_NE(cache->find(key_of(1, 0), 0, kForever), nullptr) << "it was used";
  EXPECT_EQ(cache->find(key_of(1, 1), 0, kForever), nullptr);
  EXPECT_EQ(cache->evictions(), 1U);
}

TEST(ResponseCache, NeverHoldsMoreThanItMay) {
  const auto cache = small();
  for (int i = 0; i < 5000; ++i) {
    const auto shard = static_cast<unsigned char>(i);
    const auto number = static_cast<unsigned char>(i / 256);
    cache->keep(key_of(shard, number), answer_of(static_cast<std::size_t>(i * 37 % 20'000)));
    ASSERT_LE(cache->size().bytes, kShard * ResponseCache::kShards);
  }
  EXPECT_GT(cache->evictions(), 1000U);
  EXPECT_GT(cache->size().answers, 50U);
}

TEST(ResponseCache, WhatIsTooLongForAShardIsNotKept) {
  const auto cache = small();
  cache->keep(key_of(1, 1), answer_of(10));
  cache->keep(key_of(1, 2), answer_of(kShard));
  EXPECT_EQ(cache->find(key_of(1, 2), 0, kForever), nullptr);
  EXPECT_NE(cache->find(key_of(1, 1), 0, kForever), nullptr) << "nothing went for it";
  EXPECT_LT(cache->answer_bytes_max(), kShard);
}

TEST(ResponseCache, SmallerBoundsHoldAtOnce) {
  const auto cache = small();
  for (unsigned char i = 0; i < 6; ++i) cache->keep(key_of(1, i), answer_of(10'000));
  cache->set_bounds({kShard / 2 * ResponseCache::kShards, 1024});
  EXPECT_LE(cache->size().bytes, kShard / 2);
  EXPECT_EQ(cache->answer_bytes_max(), 1024U);
  EXPECT_NE(cache->find(key_of(1, 5), 0, kForever), nullptr);
}

TEST(ResponseCache, ClearTellsWhatWasThere) {
  const auto cache = small();
  for (unsigned char i = 0; i < 40; ++i) cache->keep(key_of(i, i), answer_of(100));
  const ResponseCache::Size size = cache->size();
  const ResponseCache::Size gone = cache->clear();
  EXPECT_EQ(gone.answers, 40U);
  EXPECT_EQ(gone.bytes, size.bytes);
  EXPECT_EQ(cache->size().answers + cache->size().bytes, 0U);
  EXPECT_EQ(cache->find(key_of(1, 1), 0, kForever), nullptr);
  cache->keep(key_of(1, 1), answer_of(100));
  EXPECT_EQ(cache->size().answers, 1U);
}

TEST(ResponseCache, WhatIsUnderWayHasABoundOfItsOwn) {
  const auto cache = small();
  const std::uint64_t all = kShard * ResponseCache::kShards;
  EXPECT_TRUE(cache->reserve(all - 10));
  EXPECT_FALSE(cache->reserve(11));
  EXPECT_TRUE(cache->reserve(10));
  cache->give_back(all);
  EXPECT_EQ(cache->reserved_bytes(), 0U);
}

TEST(CachedAnswer, GivesEveryEventAsItCame) {
  bp_usage usage{sizeof(bp_usage), 0, 1, 2, 3, 4};
  const bp_tool_call call{sizeof(bp_tool_call), 5, str("id"), str("name")};
  std::vector<bp_event> events(5);
  events[0].type = BP_EVENT_TEXT;
  events[0].index = 3;
  events[0].data = str("text");
  events[0].logprobs = str("[1]");
  events[1].type = BP_EVENT_TOOL_CALL;
  events[1].data = str("{}");
  events[1].tool_call = &call;
  events[2].type = BP_EVENT_USAGE;
  events[2].usage = &usage;
  events[3].type = BP_EVENT_CHUNK;
  events[3].data = str(std::string_view("a\0b", 3));
  events[3].detail = str("name");
  events[4].type = BP_EVENT_FINISH;
  CachedAnswer answer;
  for (const bp_event& event : events) answer.add(event);
  answer.close();
  CachedAnswer::Reader reader(answer);
  for (const bp_event& expected : events) {
    bp_event event{};
    ASSERT_TRUE(reader.next(event));
    EXPECT_EQ(event.type, expected.type);
    EXPECT_EQ(event.index, expected.index);
    EXPECT_EQ(view(event.data), view(expected.data));
    EXPECT_EQ(view(event.detail), view(expected.detail));
    EXPECT_EQ(view(event.logprobs), view(expected.logprobs));
    ASSERT_EQ(event.usage != nullptr, expected.usage != nullptr);
    if (event.usage != nullptr) {
      EXPECT_EQ(std::memcmp(event.usage, &usage, sizeof(usage)), 0);
    }
    ASSERT_EQ(event.tool_call != nullptr, expected.tool_call != nullptr);
    if (event.tool_call == nullptr) continue;
    EXPECT_EQ(event.tool_call->struct_size, sizeof(bp_tool_call));
    EXPECT_EQ(event.tool_call->index, 5U);
    EXPECT_EQ(view(event.tool_call->id), "id");
    EXPECT_EQ(view(event.tool_call->name), "name");
  }
  bp_event none{};
  EXPECT_FALSE(reader.next(none));
}

}  // namespace
}  // namespace backplane::test
