// SPDX-License-Identifier: Apache-2.0
// What an exporter makes of a collector's answer.
#include "runtime/telemetry/collector_answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace backplane {
namespace {

TEST(CollectorAnswer, MayBeTriedAgain) {
  for (const std::uint32_t status : {429U, 502U, 503U, 504U}) EXPECT_TRUE(may_retry_export(status));
  for (const std::uint32_t status : {200U, 301U, 400U, 401U, 404U, 413U, 500U, 501U}) {
    EXPECT_FALSE(may_retry_export(status)) << status;
  }
}

TEST(CollectorAnswer, PartialSuccess) {
  const std::pair<std::string, std::uint64_t> kCases[] = {
      {R"({"partialSuccess":{"rejectedSpans":"7","errorMessage":"too old"}})", 7},
      {R"({"partialSuccess":{"rejectedSpans":7}})", 7},
      {R"({"partialSuccess":{}})", 0},
      {R"({"partialSuccess":{"rejectedSpans":"-7"}})", 0},
      {R"({"partialSuccess":{"rejectedSpans":-7}})", 0},
      {R"({"partialSuccess":{"rejectedSpans":[7]}})", 0},
      {R"({"partialSuccess":7})", 0},
      {"{}", 0},
      {"", 0},
      {"[]", 0},
      {"<html>", 0},
      {R"({"partialSuccess":{"rejectedSpans":"7")", 0}};
  for (const auto& [body, rejected] : kCases) EXPECT_EQ(rejected_spans(body), rejected) << body;
}

TEST(CollectorAnswer, RetryAfter) {
  constexpr std::int64_t kNowNs = 784'111'777LL * 1'000'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  const std::pair<std::string, std::uint64_t> kCases[] = {
      {"0", 0},
      {"7", 7'000},
      {"60", 60'000},
      {"100000", 60'000},
      {"18446744073709551615", 60'000},
      {"-1", 0},
      {"soon", 0},
      {"", 0},
      {"7.5", 0},
      {"Sun, 06 Nov 1994 08:49:40 GMT", 3'000},
      {"Sun, 06 Nov 1994 08:49:30 GMT", 0},
      {"Sun, 06 Nov 1994 09:49:37 GMT", 60'000},
      {"Sun, 06 Nov 1994 08:49:40 GMT and more", 0}};
  for (const auto& [value, delay_ms] : kCases) {
    EXPECT_EQ(retry_delay_ms(value, kNowNs), delay_ms) << value;
  }
}

}  // namespace
}  // namespace backplane
