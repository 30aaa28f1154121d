// SPDX-License-Identifier: Apache-2.0
// What decides which answer a call may be given: the key, cache-control, what is deterministic.
#include "runtime/pipeline/cache/cache_request.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <set>

namespace backplane::test {
namespace {

struct Parts {
  CallMetadata metadata = {{"authorization", "Bearer a"}};
  std::string model = "m";
  std::string routes = "a\n1\nm\n";
  std::string operation = "chat.completions";
  std::string content_type = "application/json";
  std::string body = R"({"model":"m"})";

  auto digest() const {
    return cache_key_of({metadata, model, routes, operation, content_type, body})->digest;
  }
};

TEST(CacheKey, EverythingThatDecidesAnAnswerIsInIt) {
  std::vector<Parts> all(12);
  all[1].metadata = {{"authorization", "Bearer b"}};
  all[2].metadata = {};
  all[3].metadata = {{"x-api-key", "Bearer a"}};
  all[4].metadata.emplace_back("openai-project", "p");
  all[5].metadata = {{"authorization", "Bearer a"}, {"authorization", ""}};
  all[6].model = "n";
  all[7].routes = "a\n2\nm\n";
  all[8].operation = "completions";
  all[9].content_type = "application/json; charset=utf-8";
  all[10].body = R"({"model":"m" })";
  all[11].model = "ma";
  all[11].routes = all[11].routes.substr(1);  // the same bytes, cut elsewhere
  std::set<decltype(all[0].digest())> digests;
  for (const Parts& parts : all) digests.insert(parts.digest());
  EXPECT_EQ(digests.size(), all.size());
  EXPECT_EQ(Parts().digest(), Parts().digest());
}

TEST(CacheKey, WhatNamesOneCallAloneIsNotInIt) {
  for (const char* name :
       {"traceparent", "tracestate", "remote", "idempotency-key", "user-agent", "cache-control"}) {
    Parts parts;
    parts.metadata.emplace_back(name, "x");
    EXPECT_EQ(parts.digest(), Parts().digest()) << name;
  }
}

TEST(CacheControl, IsReadAsRfc9111Says) {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  struct Case {
    const char* value;
    bool no_store;
    std::int64_t max_age_s;
  };
  for (const Case& each :
       {Case{"", false, kAny}, Case{"no-store", true, kAny}, Case{"No-Cache", false, 0},
        Case{" no-cache , no-store", true, 0}, Case{"max-age=60", false, 60},
        Case{"max-age=60, max-age=5", false, 5}, Case{"max-age=\"7\"", false, 7},
        Case{"max-age", false, 0}, Case{"max-age=-1", false, 0}, Case{"max-age=1x", false, 0},
        Case{"max-age=99999999999999999999", false, 0},
        Case{"no-transform,,=,only-if-cached", false, kAny},
        Case{"x-no-store, no-stores", false, kAny}}) {
    const CacheControl control = cache_control_of({{"cache-control", each.value}});
    EXPECT_EQ(control.no_store, each.no_store) << each.value;
    EXPECT_EQ(control.max_age_s, each.max_age_s) << each.value;
  }
  EXPECT_TRUE(
      cache_control_of({{"cache-control", "no-cache"}, {"cache-control", "no-store"}}).no_store);
  EXPECT_FALSE(cache_control_of({{"pragma", "no-store"}}).no_store);
}

TEST(Deterministic, WhatWouldBeSaidAgain) {
  struct Case {
    const char* operation;
    const char* body;
    bool expected;
  };
  for (const Case& each :
       {Case{"embeddings", "{}", true}, Case{"rerank", "{}", true}, Case{"moderations", "{}", true},
        Case{"chat.completions", R"({"temperature":0})", true},
        Case{"chat.completions", R"({"temperature":0.0,"n":2})", true},
        Case{"completions", R"({"messages":[{"seed":1}],"seed":12345678901234567890})", true},
        Case{"chat.completions", R"({"temperature":1,"seed":7})", true},
        Case{"chat.completions", R"({"temperature":0.1})", false},
        Case{"chat.completions", R"({"temperature":"0"})", false},
        Case{"chat.completions", R"({"temperature":null,"seed":null})", false},
        Case{"chat.completions", R"({"messages":[{"seed":1,"temperature":0}]})", false},
        Case{"chat.completions", "{}", false}, Case{"audio.speech", "{}", false}}) {
    bp_buffer body = make_buffer(each.body);
    EXPECT_EQ(is_deterministic(each.operation, body), each.expected) << each.body;
    body.padding = 0;
    EXPECT_EQ(is_deterministic(each.operation, body), each.expected) << each.body;
    body.release(body.owner);
  }
}

}  // namespace
}  // namespace backplane::test
