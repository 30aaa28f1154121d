// SPDX-License-Identifier: Apache-2.0
#include "common/model_feed.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/services.hpp"
#include "fake_host.hpp"

namespace backplane::dialect {
namespace {

constexpr std::uint64_t kRefreshMs = 3'600'000;

struct Rig {
  explicit Rig(std::uint64_t refresh_ms = kRefreshMs)
      : feed(*find_services(Host(host.get())), "http://h/v1/models", refresh_ms) {
    feed.start({{"authorization", "Bearer k"}});
    host.run();
  }
  ~Rig() { feed.stop(); }

  void answer(std::uint32_t status, std::string_view body) {
    host.head(status, {});
    host.data(body);
    host.done();
  }
  std::string names() const {
    std::string out;
    for (const ListedModel& model : feed.models()) out += model.id + ' ';
    return out;
  }

  testing::FakeHost host;
  ModelFeed feed;
};

TEST(ModelFeed, FetchesNowAndAgain) {
  Rig rig;
  ASSERT_EQ(rig.host.requests.size(), 1U);
  EXPECT_EQ(rig.host.requests[0].method, "GET");
  EXPECT_EQ(rig.host.requests[0].url, "http://h/v1/models");
  EXPECT_EQ(rig.host.requests[0].header("authorization"), "Bearer k");
  rig.host.head(200, {});
  rig.host.data(R"({"data":[{"id)");
  rig.host.data(R"(":"a"}]})");
  rig.host.done();
  EXPECT_EQ(rig.names(), "a ");
  ASSERT_EQ(rig.host.timers.size(), 1U);
  EXPECT_EQ(rig.host.timers.begin()->second.delay_ms, kRefreshMs);
  rig.host.fire();
  rig.answer(200, R"({"data":[{"id":"b"},{"id":"c"}]})");
  EXPECT_EQ(rig.names(), "b c ");
  EXPECT_TRUE(rig.host.log_lines.empty());
}

TEST(ModelFeed, AFailureKeepsTheLastListAndIsTriedSooner) {
  Rig rig;
  rig.answer(200, R"({"data":[{"id":"a"}]})");
  const auto fail = [&](auto&& how) {
    rig.host.fire();
    how();
    EXPECT_EQ(rig.names(), "a ");
    ASSERT_EQ(rig.host.timers.size(), 1U);
    EXPECT_EQ(rig.host.timers.begin()->second.delay_ms, kListRetryMaxMs);
  };
  fail([&] { rig.answer(500, "{}"); });
  fail([&] { rig.answer(200, "<html>"); });
  fail([&] { rig.host.failed(BP_CODE_UNAVAILABLE, "not reached"); });
  fail([&] {
    const std::string large(kListBodyMaxBytes, ' ');
    rig.host.head(200, {});
    EXPECT_EQ(rig.host.data(large), BP_FLOW_CONTINUE);
    EXPECT_EQ(rig.host.data("x"), BP_FLOW_STOP);
  });
  EXPECT_EQ(rig.host.log_lines.size(), 4U);
  rig.host.refuses_requests = true;
  fail([&] {});
  EXPECT_EQ(rig.host.log_lines.size(), 5U);
}

TEST(ModelFeed, StopsInTheMiddleAndBetween) {
  {
    Rig rig;
    rig.feed.stop();
    EXPECT_FALSE(rig.host.is_open());
    EXPECT_EQ(rig.host.cancel_count, 1);
  }
  {
    Rig rig;
    rig.answer(200, R"({"data":[]})");
    rig.feed.stop();
    EXPECT_TRUE(rig.host.timers.empty());
  }
}

TEST(ModelFeed, FetchesNothingWhereItIsNotAskedTo) {
  const Rig rig(0);
  EXPECT_TRUE(rig.host.requests.empty());
}

}  // namespace
}  // namespace backplane::dialect
