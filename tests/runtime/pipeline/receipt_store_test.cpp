// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/receipt_store.hpp"

#include "runtime/pipeline/credentials.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <vector>

namespace backplane {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string text_of(const ReceiptStore::Document& document) {
  return document == nullptr ? "none" : *document;
}

TEST(ReceiptStore, TellsNobodyButTheCaller) {
  ReceiptStore store({10, 10'000, 60});
  store.put("a", "alice", "1", 0);
  store.put("a", "bob", "2", 0);
  EXPECT_EQ(text_of(store.find("a", "alice", 0)), "1");
  EXPECT_EQ(text_of(store.find("a", "bob", 0)), "2");
  EXPECT_EQ(text_of(store.find("a", "", 0)), "none");
  EXPECT_EQ(text_of(store.find("b", "bob", 0)), "none");
}

TEST(ReceiptStore, ALaterOneTakesThePlace) {
  ReceiptStore store({10, 10'000, 60});
  store.put("a", "", "1", 0);
  store.put("a", "", "2", kSecond);
  EXPECT_EQ(text_of(store.find("a", "", 61 * kSecond)), "2");
}

TEST(ReceiptStore, KeepsNoMoreThanItMay) {
  ReceiptStore store({2, 10'000, 60});
  for (const char* id : {"a", "b", "c"}) store.put(id, "", id, 0);
  EXPECT_EQ(text_of(store.find("a", "", 0)), "none");
  EXPECT_EQ(text_of(store.find("b", "", 0)), "b");
  EXPECT_EQ(text_of(store.find("c", "", 0)), "c");
  store.set_limits({0, 10'000, 60});
  store.put("d", "", "d", 0);
  EXPECT_EQ(text_of(store.find("d", "", 0)), "none");
}

TEST(ReceiptStore, KeepsNoMoreBytesThanItMay) {
  ReceiptStore store({100, 5'000, 60});
  for (const char* id : {"a", "b", "c"}) store.put(id, "", std::string(2'000, 'x'), 0);
  EXPECT_EQ(text_of(store.find("a", "", 0)), "none");
  EXPECT_NE(store.find("b", "", 0), nullptr);
  EXPECT_NE(store.find("c", "", 0), nullptr);
  store.put("d", "", std::string(6'000, 'x'), 0);
  EXPECT_EQ(text_of(store.find("c", "", 0)), "none");
  EXPECT_EQ(text_of(store.find("d", "", 0)), "none");
}

TEST(ReceiptStore, ForgetsInTime) {
  ReceiptStore store({10, 10'000, 60});
  store.put("a", "", "1", 0);
  EXPECT_EQ(text_of(store.find("a", "", 60 * kSecond)), "1");
  EXPECT_EQ(text_of(store.find("a", "", 61 * kSecond)), "none");
}

std::string caller(const std::vector<bp_pair>& metadata) {
  return caller_of(metadata.data(), metadata.size());
}

TEST(Credentials, AreWhatAClientSendsEachTime) {
  const bp_pair key{str("authorization"), str("Bearer 1")};
  const bp_pair other{str("authorization"), str("Bearer 2")};
  const bp_pair cookie{str("cookie"), str("a=b")};
  const bp_pair payment{str("x-payment"), str("once")};
  const bp_pair agent{str("user-agent"), str("test")};
  EXPECT_EQ(caller({agent, payment}), "");
  EXPECT_EQ(caller({agent, key, payment}), caller({key}));
  EXPECT_EQ(caller({key, cookie}), caller({cookie, key}));
  EXPECT_NE(caller({key, cookie}), caller({key}));
  EXPECT_NE(caller({key}), caller({other}));
  EXPECT_EQ(caller({key}).size(), 32U);
  EXPECT_EQ(caller({key}).find("Bearer"), std::string::npos);
}

}  // namespace
}  // namespace backplane
