// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/price.hpp"

#include <cassert>
#include <limits>

#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

constexpr int kDecimals = 9;

bool append_digit(std::int64_t& value, int digit) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (value > (kMax - digit) / 10) {
    return false;
  }
  value = value * 10 + digit;
  return true;
}

}  // namespace

Result<std::int64_t> parse_nano_usd(std::string_view decimal) {
  const Error shape =
      invalid_argument("expected a decimal number such as 0.59, found " + quote(decimal));
  const Error too_large = invalid_argument("the price " + quote(decimal) + " is too large");
  std::int64_t value = 0;
  int decimals = -1;  // before the point
  bool has_digit = false;
  for (const char c : decimal) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') {
      return shape;
    }
    has_digit = true;
    if (decimals >= 0 && ++decimals > kDecimals) {
      return invalid_argument("expected at most 9 decimals, found " + quote(decimal));
    }
    if (!append_digit(value, c - '0')) {
      return too_large;
    }
  }
  if (!has_digit) {
    return shape;
  }
  for (int place = decimals < 0 ? 0 : decimals; place < kDecimals; ++place) {
    if (!append_digit(value, 0)) {
      return too_large;
    }
  }
  return value;
}

std::string format_nano_usd(std::int64_t nano_usd) {
  assert(nano_usd >= 0);
  constexpr std::int64_t kNanoPerUsd = 1'000'000'000;
  std::string decimals = std::to_string(nano_usd % kNanoPerUsd);
  decimals.insert(0, static_cast<std::size_t>(kDecimals) - decimals.size(), '0');
  decimals.erase(decimals.find_last_not_of('0') + 1);
  const std::string whole = std::to_string(nano_usd / kNanoPerUsd);
  return decimals.empty() ? whole : whole + "." + decimals;
}

}  // namespace backplane::config
