// SPDX-License-Identifier: Apache-2.0
#include "common/wait_time.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace backplane::dialect {
namespace {

constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;

struct Case {
  std::string_view text;
  std::int64_t ms;  // -1: it cannot be read
};

std::int64_t value(const std::optional<std::uint64_t>& ms) {
  return ms ? static_cast<std::int64_t>(*ms) : -1;
}

TEST(WaitTime, ReadsDurations) {
  for (const Case& given : std::vector<Case>{{"6s", 6000},
                                             {"130ms", 130},
                                             {"10.332999999s", 10333},
                                             {"2m59.56s", 179560},
                                             {"1h", 3600000},
                                             {"1h2m3s", 3723000},
                                             {"1.5us", 1},
                                             {"0s", 0},
                                             {"5", -1},
                                             {"5x", -1},
                                             {"s", -1},
                                             {"", -1},
                                             {"-5s", -1},
                                             {"1s ", -1},
                                             {"99999999999999999999999999999999s", -1},
                                             {"9999999999999999999999999h", 31622400000}}) {
    EXPECT_EQ(value(parse_duration_ms(given.text)), given.ms) << given.text;
  }
}

TEST(WaitTime, TellsSpansFromTimes) {
  for (const Case& given : std::vector<Case>{{"2", 2000},
                                             {" 33011.382867 ", 33011383},
                                             {"0", 0},
                                             {"1700000060", 60000},
                                             {"1700000060.5", 60500},
                                             {"1700000060000", 60000},
                                             {"1699999999", 0},
                                             {"1699999999999", 0},
                                             {"6s", 6000},
                                             {"soon", -1},
                                             {"2025-01-01T00:00:00Z", -1},
                                             {"", -1}}) {
    EXPECT_EQ(value(parse_reset_ms(given.text, kNowNs)), given.ms) << given.text;
  }
}

TEST(WaitTime, FindsTheAdviceInAMessage) {
  for (const Case& given :
       std::vector<Case>{{"Rate limit reached ... Please try again in 5.289s. Visit ...", 5289},
                         {"Please try again in 1m26.4s.", 86400},
                         {"try again in 7m12s", 432000},
                         {"Please try again in 6ms.", 6},
                         {"Please retry after 20 seconds.", 20000},
                         {"Retry after 1 second", 1000},
                         {"try again in a minute", 0},
                         {"try again in 5 apples", 0},
                         {"try again in ", 0},
                         {"", 0}}) {
    EXPECT_EQ(advised_wait_ms(given.text), given.ms) << given.text;
  }
}

}  // namespace
}  // namespace backplane::dialect
