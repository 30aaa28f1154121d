// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/key_value_store.hpp"

#include "tests/runtime/services/manual_clock.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace backplane::test {
namespace {

class StoreTest : public testing::Test {
 protected:
  static Code code_of(const Status& status) { return status ? Code::kOk : status.error().code; }
  Code put(std::string_view key, std::string_view value, std::uint64_t ttl_ms = 0) {
    return code_of(store.put_if_absent(key, value, ttl_ms));
  }
  Code swap(std::string_view key, std::string_view expected, std::string_view value,
            std::uint64_t ttl_ms = 0) {
    return code_of(store.compare_and_swap(key, expected, value, ttl_ms));
  }
  std::string get(std::string_view key) {
    const auto value = store.get(key);
    return value ? *value : "(none)";
  }
  ManualClock clock;
  KeyValueStore store{clock.table(), {4, 2000}};
};

TEST_F(StoreTest, PutsOnce) {
  EXPECT_EQ(get("a"), "(none)");
  EXPECT_EQ(put("a", "1"), Code::kOk);
  EXPECT_EQ(put("a", "2"), Code::kAlreadyExists);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(put("b", ""), Code::kOk) << "an empty value is a value";
  EXPECT_EQ(get("b"), "");
}

TEST_F(StoreTest, MayExpireInTheMiddleOfASwap) {
  EXPECT_EQ(put("a", "1", 10), Code::kOk);
  clock.step_ms(10);
  EXPECT_EQ(swap("a", "1", "2"), Code::kNotFound);
}

TEST_F(StoreTest, ExpiresAtTheMillisecond) {
  EXPECT_EQ(put("a", "1", 100), Code::kOk);
  clock.advance_ms(99);
  EXPECT_EQ(put("a", "2", 100), Code::kAlreadyExists);
  clock.advance_ms(1);
  EXPECT_EQ(get("a"), "(none)");
  EXPECT_EQ(put("a", "2"), Code::kOk);
  clock.advance_ms(1'000'000'000);
  EXPECT_EQ(get("a"), "2") << "for ever";
}

TEST_F(StoreTest, TheLongestTimeDoesNotOverflow) {
  EXPECT_EQ(put("a", "1", UINT64_MAX), Code::kOk);
  clock.advance_ms(1'000'000);
  EXPECT_EQ(get("a"), "1");
}

TEST_F(StoreTest, SwapsWhatIsExpected) {
  EXPECT_EQ(swap("a", "", "1"), Code::kNotFound);
  put("a", "1", 100);
  EXPECT_EQ(swap("a", "2", "3"), Code::kAborted);
  EXPECT_EQ(swap("a", "1", "2", 200), Code::kOk);
  clock.advance_ms(150);
  EXPECT_EQ(get("a"), "2") << "the new time counts";
  clock.advance_ms(50);
  EXPECT_EQ(swap("a", "2", "3"), Code::kNotFound);
  put("b", "1");
  EXPECT_EQ(swap("b", "1", ""), Code::kOk);
  EXPECT_EQ(get("b"), "(none)");
}

TEST_F(StoreTest, SizesAreBounded) {
  const std::string longest(KeyValueStore::kKeyBytesMax, 'k');
  EXPECT_EQ(put(longest, ""), Code::kOk);
  EXPECT_EQ(put(longest + 'k', ""), Code::kInvalidArgument);
  EXPECT_EQ(put("", "1"), Code::kInvalidArgument);
  EXPECT_EQ(put("v", std::string(KeyValueStore::kValueBytesMax + 1, 'v')), Code::kInvalidArgument);
  EXPECT_EQ(swap(longest, "", std::string(KeyValueStore::kValueBytesMax + 1, 'v')),
            Code::kInvalidArgument);
}

TEST_F(StoreTest, EntriesAreBoundedAndExpiredOnesMakeRoom) {
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(put(key, "1", 10), Code::kOk);
  EXPECT_EQ(put("d", "1"), Code::kOk);
  EXPECT_EQ(put("e", "1"), Code::kResourceExhausted);
  clock.advance_ms(10);
  EXPECT_EQ(put("e", "1"), Code::kOk);
  EXPECT_EQ(get("d"), "1");
}

TEST_F(StoreTest, BytesAreBounded) {
  EXPECT_EQ(put("a", std::string(1998, 'v')), Code::kOk);
  EXPECT_EQ(put("b", "12"), Code::kResourceExhausted);
  EXPECT_EQ(put("b", ""), Code::kOk);
  EXPECT_EQ(swap("b", "", "1"), Code::kResourceExhausted) << "a swap grows as well";
  EXPECT_EQ(get("b"), "");
  EXPECT_EQ(swap("a", std::string(1998, 'v'), "1"), Code::kOk);
  EXPECT_EQ(swap("b", "", "1"), Code::kOk) << "what shrinks makes room";
}

// Against a map that knows nothing of expiry lists.
TEST_F(StoreTest, AgreesWithAModel) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::string, std::pair<std::string, std::int64_t>> model;
  std::int64_t now_ms = 0;
  for (int i = 0; i < 20'000; ++i) {
    for (auto entry = model.begin(); entry != model.end();) {
      entry = entry->second.second <= now_ms ? model.erase(entry) : std::next(entry);
    }
    const std::string key(1, static_cast<char>('a' + random() % 6));
    const std::string value(random() % 3, 'v');
    const std::uint64_t ttl_ms = random() % 5;
    const std::int64_t until = ttl_ms == 0 ? INT64_MAX : now_ms + static_cast<std::int64_t>(ttl_ms);
    const auto found = model.find(key);
    if (random() % 3 != 0) {
      const Code code = put(key, value, ttl_ms);
      const Code expected = found != model.end() ? Code::kAlreadyExists
                            : model.size() == 4  ? Code::kResourceExhausted
                                                 : Code::kOk;
      ASSERT_EQ(code, expected) << i;
      if (code == Code::kOk) model[key] = {value, until};
    } else if (found != model.end()) {
      ASSERT_EQ(swap(key, found->second.first, value, ttl_ms), Code::kOk) << i;
      model[key] = {value, until};
      if (value.empty()) model.erase(key);
    }
    const auto after = model.find(key);
    ASSERT_EQ(get(key), after == model.end() ? "(none)" : after->second.first) << i;
    if (random() % 2 == 0) {
      clock.advance_ms(1);
      ++now_ms;
    }
  }
}

}  // namespace
}  // namespace backplane::test
