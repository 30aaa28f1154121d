// SPDX-License-Identifier: Apache-2.0
#include "common/http_get.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/plugins/backends/common/fake_host.hpp"

namespace backplane::dialect {
namespace {

class HttpGetTest : public ::testing::Test {
 protected:
  Status send() {
    get = std::make_unique<HttpGet>(services);
    return get->send(host.loop(), "https://one.example/a?b=c", {{"accept", "text/plain"}},
                     {16, 1000}, [this](Result<HttpReply> reply) {
                       result = std::move(reply);
                       get.reset();
                     });
  }

  testing::FakeHost host;
  Services services = *find_services(Host(host.get()));
  std::unique_ptr<HttpGet> get;
  std::optional<Result<HttpReply>> result;
};

TEST_F(HttpGetTest, GathersTheReply) {
  ASSERT_TRUE(send());
  EXPECT_EQ(host.requests.at(0).method, "GET");
  EXPECT_EQ(host.requests.at(0).url, "https://one.example/a?b=c");
  EXPECT_EQ(host.requests.at(0).header("accept"), "text/plain");
  EXPECT_EQ(host.requests.at(0).raw.total_timeout_ms, 1000U);
  host.head(404, {{"etag", "x"}});
  host.data("one ");
  host.data("two");
  EXPECT_FALSE(result);
  host.done();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->status, 404U);
  EXPECT_EQ((*result)->body, "one two");
  EXPECT_EQ((*result)->header("etag"), "x");
  EXPECT_EQ((*result)->header("other"), "");
}

TEST_F(HttpGetTest, StopsAtItsBound) {
  ASSERT_TRUE(send());
  host.head(200, {});
  EXPECT_EQ(host.data(std::string(16, 'x')), BP_FLOW_CONTINUE);
  EXPECT_EQ(host.data("x"), BP_FLOW_STOP);
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().message, "the response is too large");
}

TEST_F(HttpGetTest, TellsOfABreak) {
  ASSERT_TRUE(send());
  host.failed(BP_CODE_UNAVAILABLE, "not reached");
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, Code::kUnavailable);
}

TEST_F(HttpGetTest, IsCancelledWhenDropped) {
  ASSERT_TRUE(send());
  get.reset();
  EXPECT_EQ(host.cancel_count, 1);
  EXPECT_FALSE(result);
}

TEST_F(HttpGetTest, FailsWhereTheHostRefuses) {
  host.refuses_requests = true;
  EXPECT_FALSE(send());
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace backplane::dialect
