// SPDX-License-Identifier: Apache-2.0
#include "common/retry_after.hpp"

#include <algorithm>
#include <backplane/plugin.hpp>
#include <charconv>
#include <chrono>
#include <optional>

namespace backplane::dialect {
namespace {

constexpr std::size_t kNumberMaxDigits = 12;

// Digits, with a fraction that is cut to thousandths: "2", "0.25".
std::optional<std::uint64_t> parse_thousandths(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction;
  if (point != std::string_view::npos) fraction = text.substr(point + 1, 3);
  if (whole.empty() || whole.size() > kNumberMaxDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : whole) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  for (std::size_t place = 0; place < 3; ++place) {
    const char digit = place < fraction.size() ? fraction[place] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

std::optional<int> parse_field(std::string_view text, std::size_t at, std::size_t size) {
  int value = 0;
  const char* end = text.data() + at + size;
  const auto parsed = std::from_chars(text.data() + at, end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

// "Wed, 21 Oct 2015 07:28:00 GMT", the one form of date that servers may send today.
std::optional<std::int64_t> parse_date(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const auto day = parse_field(text, 5, 2);
  const auto year = parse_field(text, 12, 4);
  const auto hour = parse_field(text, 17, 2);
  const auto minute = parse_field(text, 20, 2);
  const auto second = parse_field(text, 23, 2);
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

std::optional<std::uint64_t> until_date_ms(std::string_view text, std::int64_t unix_now_ns) {
  const std::optional<std::int64_t> date = parse_date(text);
  if (!date) return std::nullopt;
  const std::int64_t wait_ms = *date * 1000 - unix_now_ns / 1'000'000;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(wait_ms, 0));
}

}  // namespace

std::uint64_t retry_after_ms(std::span<const bp_pair> headers, std::int64_t unix_now_ns) {
  std::optional<std::uint64_t> precise;
  std::optional<std::uint64_t> coarse;
  for (const bp_pair& header : headers) {
    const std::string_view value = view(header.value);
    if (view(header.name) == "retry-after-ms") {
      if (const auto thousandths = parse_thousandths(value)) precise = *thousandths / 1000;
    } else if (view(header.name) == "retry-after") {
      coarse = parse_thousandths(value);
      if (!coarse) coarse = until_date_ms(value, unix_now_ns);
    }
  }
  return std::min(precise.value_or(coarse.value_or(0)), kRetryAfterMaxMs);
}

}  // namespace backplane::dialect
