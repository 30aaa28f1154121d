// SPDX-License-Identifier: Apache-2.0
#include "common/wait_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/media_type.hpp"

namespace backplane::dialect {
namespace {

constexpr std::size_t kTextMaxBytes = 32;
constexpr double kWaitMaxMs = 366.0 * 24 * 3600 * 1000;
constexpr double kUnixSecondsMin = 1e9;  // as a span it would be 31 years
constexpr double kUnixMsMin = 1e12;

struct Unit {
  std::string_view name;
  double ms;
};

// Longer names first where one begins with another.
constexpr std::array<Unit, 8> kUnits{{{"ms", 1},
                                      {"ns", 1e-6},
                                      {"us", 1e-3},
                                      {"\xc2\xb5s", 1e-3},
                                      {"d", 86'400e3},
                                      {"h", 3600e3},
                                      {"m", 60e3},
                                      {"s", 1e3}}};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

// Takes "12" or "12.5" off the front; false: there is none.
bool take_number(std::string_view& text, double& out) {
  if (text.empty() || !is_digit(text.front())) return false;
  double value = 0;
  double place = 0;
  while (!text.empty() && (is_digit(text.front()) || (place == 0 && text.front() == '.'))) {
    if (text.front() == '.') {
      place = 1;
    } else {
      value = value * 10 + (text.front() - '0');
      place *= 10;
    }
    text.remove_prefix(1);
  }
  out = place > 1 ? value / place : value;
  return true;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (text.substr(0, unit.name.size()) != unit.name) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

std::uint64_t rounded(double ms) {
  return static_cast<std::uint64_t>(std::ceil(std::clamp(ms, 0.0, kWaitMaxMs) - 1e-6));
}

// Takes a duration off the front; nothing: there is none.
std::optional<double> take_duration(std::string_view& text) {
  double total = 0;
  bool is_any = false;
  for (std::string_view rest = text;;) {
    double number = 0;
    if (!take_number(rest, number)) break;
    const Unit* unit = take_unit(rest);
    if (unit == nullptr) break;
    total += number * unit->ms;
    text = rest;
    is_any = true;
  }
  if (!is_any) return std::nullopt;
  return total;
}

}  // namespace

std::optional<std::uint64_t> parse_duration_ms(std::string_view text) {
  if (text.size() > kTextMaxBytes) return std::nullopt;
  const std::optional<double> ms = take_duration(text);
  if (!ms || !text.empty()) return std::nullopt;
  return rounded(*ms);
}

std::optional<std::uint64_t> parse_reset_ms(std::string_view text, std::int64_t unix_now_ns) {
  text = trim(text);
  if (text.size() > kTextMaxBytes) return std::nullopt;
  if (const auto duration = parse_duration_ms(text)) return duration;
  double number = 0;
  if (!take_number(text, number) || !text.empty()) return std::nullopt;
  const double now_ms = static_cast<double>(unix_now_ns) / 1e6;
  if (number >= kUnixMsMin) return rounded(number - now_ms);
  if (number >= kUnixSecondsMin) return rounded(number * 1000 - now_ms);
  return rounded(number * 1000);
}

std::uint64_t advised_wait_ms(std::string_view message) {
  for (const std::string_view words : {"ry again in ", "etry in ", "etry after "}) {
    const std::size_t at = message.find(words);
    if (at == std::string_view::npos) continue;
    std::string_view rest = message.substr(at + words.size(), kTextMaxBytes);
    if (const auto ms = take_duration(rest)) return rounded(*ms);
    double seconds = 0;
    if (take_number(rest, seconds) && rest.substr(0, 7) == " second")
      return rounded(seconds * 1000);
  }
  return 0;
}

}  // namespace backplane::dialect
