// SPDX-License-Identifier: Apache-2.0
#include "common/retry_after.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <vector>

namespace backplane::dialect {
namespace {

constexpr std::int64_t kNowNs = 1'445'412'470'000'000'000;  // Wed, 21 Oct 2015 07:27:50 GMT

struct Case {
  std::string_view name;
  std::string_view value;
  std::uint64_t wait_ms;
};

TEST(RetryAfter, ReadsSecondsMillisecondsAndDates) {
  const std::vector<Case> cases = {
      {"retry-after", "2", 2000},
      {"retry-after", "0", 0},
      {"retry-after", "0.25", 250},
      {"retry-after", "1.5", 1500},
      {"retry-after", "7.9999", 7999},
      {"retry-after-ms", "120", 120},
      {"retry-after-ms", "120.7", 120},
      {"retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", 10'000},
      {"retry-after", "Wed, 21 Oct 2015 07:27:00 GMT", 0},
      {"retry-after", "Wed, 32 Oct 2015 07:28:00 GMT", 0},
      {"retry-after", "Wed, 21 Oct 2015 07:28:00 CET", 0},
      {"retry-after", "Wed, 21 ctN 2015 07:28:00 GMT", 0},
      {"retry-after", "", 0},
      {"retry-after", "-1", 0},
      {"retry-after", "soon", 0},
      {"retry-after", "1e3", 0},
      {"retry-after", "99999999999999999999", 0},
      {"retry-after", "999999", kRetryAfterMaxMs},
      {"x-other", "2", 0},
  };
  for (const Case& given : cases) {
    const bp_pair header{str(given.name), str(given.value)};
    EXPECT_EQ(retry_after_ms({&header, 1}, kNowNs), given.wait_ms)
        << given.name << ": " << given.value;
  }
}

TEST(RetryAfter, PrefersMilliseconds) {
  const std::vector<bp_pair> headers = {{str("retry-after-ms"), str("120")},
                                        {str("retry-after"), str("1")}};
  EXPECT_EQ(retry_after_ms(headers, kNowNs), 120U);
  EXPECT_EQ(retry_after_ms({}, kNowNs), 0U);
}

}  // namespace
}  // namespace backplane::dialect
