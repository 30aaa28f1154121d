// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/keep_alive.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr Unit kUnits[] = {{"h", 3600}, {"m", 60}, {"ms", 0.001}, {"s", 1}};

// One number with its unit, which `text` loses.
std::optional<double> take_part(std::string_view& text) {
  double number = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (failure != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::string_view name = text.substr(0, text.find_first_not_of("hms"));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const Unit& known) { return known.name == name; });
  if (unit == std::end(kUnits)) return std::nullopt;
  text.remove_prefix(name.size());
  return number * unit->seconds;
}

std::optional<double> seconds_of(std::string_view text) {
  if (text == "0") return 0;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part) return std::nullopt;
    seconds += *part;
  }
  return negative ? -seconds : seconds;
}

}  // namespace

Result<std::optional<std::chrono::milliseconds>> read_keep_alive(const boost::json::object& body) {
  using std::chrono::milliseconds;
  constexpr std::chrono::duration<double> kMax = kKeepAliveMax;
  const boost::json::value* value = member(body, "keep_alive");
  if (value == nullptr) return std::optional<milliseconds>();
  std::optional<double> seconds;
  if (value->is_number()) seconds = value->to_number<double>();
  if (value->is_string()) seconds = seconds_of(value->get_string());
  if (!seconds || !(*seconds <= kMax.count())) {
    return refuse("keep_alive",
                  "expected seconds, or a text such as \"30s\", \"5m\" or \"1h\", of at most 30 "
                  "days; 0 lets the weights go at once, a negative one keeps them");
  }
  if (*seconds < 0) return std::optional(milliseconds(-1));
  return std::optional(milliseconds(std::llround(*seconds * 1000)));
}

}  // namespace backplane::local
