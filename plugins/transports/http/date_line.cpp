// SPDX-License-Identifier: Apache-2.0
#include "date_line.hpp"

#include <cstdio>
#include <ctime>

namespace backplane::http {
namespace {

// Not strftime: the header is English whatever the process's locale is.
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

std::string_view DateLine::at(std::int64_t unix_ns) {
  const std::int64_t second = unix_ns / kNanosecondsPerSecond;
  if (second == second_) return line_;
  const std::time_t time = second;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof(text), "date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  line_ = text;
  second_ = second;
  return line_;
}

}  // namespace backplane::http
