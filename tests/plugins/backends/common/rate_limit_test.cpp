// SPDX-License-Identifier: Apache-2.0
#include "common/rate_limit.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <string>
#include <utility>
#include <vector>

namespace backplane::dialect {
namespace {

constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;
constexpr std::uint64_t kUnknown = BP_RATE_UNKNOWN;

using Headers = std::vector<std::pair<std::string, std::string>>;
using Numbers = std::vector<std::uint64_t>;  // requests: limit, remaining, reset; tokens: likewise

Numbers read(const Headers& headers) {
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : headers) pairs.push_back({str(name), str(value)});
  const auto limit = read_rate_limit(pairs, kNowNs);
  if (!limit) return {};
  EXPECT_EQ(limit->struct_size, sizeof(bp_rate_limit));
  return {limit->requests_limit, limit->requests_remaining, limit->requests_reset_ms,
          limit->tokens_limit,   limit->tokens_remaining,   limit->tokens_reset_ms};
}

TEST(RateLimit, ReadsTheHeadersOfEveryProvider) {
  const std::vector<std::pair<Headers, Numbers>> cases = {
      // Groq: durations.
      {{{"x-ratelimit-limit-requests", "14400"},
        {"x-ratelimit-remaining-requests", "14399"},
        {"x-ratelimit-reset-requests", "6s"},
        {"x-ratelimit-limit-tokens", "6000"},
        {"x-ratelimit-remaining-tokens", "5987"},
        {"x-ratelimit-reset-tokens", "130ms"}},
       {14400, 14399, 6000, 6000, 5987, 130}},
      // Venice: a time for the one, seconds for the other.
      {{{"x-ratelimit-limit-requests", "50"},
        {"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "1700000060"},
        {"x-ratelimit-limit-tokens", "200000"},
        {"x-ratelimit-remaining-tokens", "199000"},
        {"x-ratelimit-reset-tokens", "55"},
        {"x-ratelimit-type", "user"}},
       {50, 0, 60000, 200000, 199000, 55000}},
      // Together, OpenRouter: one limit, its reset in seconds or as a time in milliseconds.
      {{{"x-ratelimit-limit", "2"}, {"x-ratelimit-remaining", "1"}, {"x-ratelimit-reset", "2"}},
       {2, 1, 2000, kUnknown, kUnknown, kUnknown}},
      {{{"x-ratelimit-limit", "20"},
        {"x-ratelimit-remaining", "0"},
        {"x-ratelimit-reset", "1700000030000"}},
       {20, 0, 30000, kUnknown, kUnknown, kUnknown}},
      {{{"ratelimit-limit", "100, 100;w=60"}, {"ratelimit-remaining", "50"}},
       {100, 50, kUnknown, kUnknown, kUnknown, kUnknown}},
      // SambaNova: two windows, of which the emptier counts.
      {{{"x-ratelimit-limit-requests", "60"},
        {"x-ratelimit-remaining-requests", "59"},
        {"x-ratelimit-reset-requests", "1"},
        {"x-ratelimit-limit-requests-day", "12000"},
        {"x-ratelimit-remaining-requests-day", "0"},
        {"x-ratelimit-reset-requests-day", "1700003600"}},
       {12000, 0, 3600000, kUnknown, kUnknown, kUnknown}},
      // Fireworks: tokens of each kind, of which the fewest count.
      {{{"x-ratelimit-limit-tokens-prompt", "60000"},
        {"x-ratelimit-remaining-tokens-prompt", "59000"},
        {"x-ratelimit-limit-tokens-cache-adjusted-prompt", "50000"},
        {"x-ratelimit-remaining-tokens-cache-adjusted-prompt", "49000"},
        {"x-ratelimit-limit-tokens-generated", "6000"},
        {"x-ratelimit-remaining-tokens-generated", "12"}},
       {kUnknown, kUnknown, kUnknown, 6000, 12, kUnknown}},
      // What is of something else, or cannot be read.
      {{{"x-ratelimit-limit-tokens-image", "7"}, {"x-ratelimit-over", "1"}}, {}},
      {{{"x-ratelimit-limit", "many"}, {"x-ratelimit-reset", "5"}}, {}},
      {{{"content-type", "text/plain"}}, {}},
      {{{"x-ratelimit-limit", "99999999999999999999"}, {"x-ratelimit-remaining", "-1"}}, {}},
  };
  for (const auto& [headers, numbers] : cases) {
    EXPECT_EQ(read(headers), numbers) << headers.front().first << ": " << headers.front().second;
  }
}

TEST(RateLimit, WaitsForWhatIsUsedUp) {
  bp_rate_limit limit = unknown_rate_limit();
  limit.requests_reset_ms = 5000;
  limit.tokens_reset_ms = 9000;
  EXPECT_EQ(exhausted_for_ms(limit), 0U);
  limit.requests_remaining = 0;
  EXPECT_EQ(exhausted_for_ms(limit), 5000U);
  limit.tokens_remaining = 0;
  EXPECT_EQ(exhausted_for_ms(limit), 9000U);
  limit.tokens_remaining = 1;
  EXPECT_EQ(exhausted_for_ms(limit), 5000U);
}

}  // namespace
}  // namespace backplane::dialect
