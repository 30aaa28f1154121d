// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/collector_answer.hpp"

#include <time.h>
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <string>

namespace backplane {
namespace {

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? number : 0;
}

}  // namespace

bool may_retry_export(std::uint32_t status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::uint64_t rejected_spans(std::string_view body) {
  boost::system::error_code failure;
  boost::json::stream_parser parser;
  parser.write(body.data(), body.size(), failure);
  if (!failure) parser.finish(failure);
  if (failure) return 0;
  const boost::json::value root = parser.release();
  const boost::json::value* count = root.find_pointer("/partialSuccess/rejectedSpans", failure);
  if (count == nullptr) return 0;
  if (count->is_string()) return number_of(count->as_string());
  if (count->is_uint64()) return count->as_uint64();
  return count->is_int64()
             ? static_cast<std::uint64_t>(std::max<std::int64_t>(count->as_int64(), 0))
             : 0;
}

std::uint64_t retry_delay_ms(std::string_view value, std::int64_t unix_ns) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  constexpr std::uint64_t kSecondMs = 1'000;
  std::uint64_t seconds = number_of(value);
  tm date{};
  const std::string text(value);
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end != nullptr && *end == '\0') {
    const std::int64_t left = static_cast<std::int64_t>(::timegm(&date)) - unix_ns / kSecondNs;
    seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
  }
  return std::min(seconds, kRetryAfterMaxMs / kSecondMs) * kSecondMs;
}

}  // namespace backplane
