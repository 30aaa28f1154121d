// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>

namespace backplane::attestation {
namespace {

namespace json = boost::json;

const json::value kNull;
const json::array kNone;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  for (const char digit : text.substr(at, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number;
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  if (text.size() > kJsonBytesMax) return invalid_argument("the JSON is longer than 8 MiB");
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return invalid_argument("this is not JSON: " + error.message());
  return value;
}

std::optional<std::int64_t> unix_time_of(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (kShape[at] != '0' && text[at] != kShape[at]) return std::nullopt;
  }
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + *hour * 3'600 + *minute * 60 + *second;
}

std::string date_text(std::int64_t unix_time) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_time)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

JsonFields::JsonFields(const json::value& object, std::string& fault)
    : object_(object.if_object()), fault_(fault) {
  if (object_ == nullptr && fault_.empty()) fault_ = "an object is expected";
}

const json::value* JsonFields::find(std::string_view name) const {
  return object_ == nullptr ? nullptr : object_->if_contains({name.data(), name.size()});
}

bool JsonFields::has(std::string_view name) const {
  return find(name) != nullptr;
}

void JsonFields::fail(std::string_view name, const std::string& expected) {
  if (fault_.empty()) fault_ = '"' + std::string(name) + "\" must be " + expected;
}

std::string JsonFields::text(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr || !value->is_string()) {
    fail(name, "a string");
    return {};
  }
  return std::string(value->get_string());
}

std::uint64_t JsonFields::number(std::string_view name, std::uint64_t max) {
  const json::value* value = find(name);
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0 &&
      static_cast<std::uint64_t>(value->get_int64()) <= max) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  fail(name, "an integer of at most " + std::to_string(max));
  return 0;
}

std::int64_t JsonFields::time(std::string_view name) {
  const auto found = unix_time_of(text(name));
  if (!found) fail(name, "a time like 2025-06-19T10:16:03Z");
  return found.value_or(0);
}

TcbStatus JsonFields::status(std::string_view name) {
  const auto found = tcb_status_of(text(name));
  if (!found) fail(name, "a TCB status");
  return found.value_or(TcbStatus::kRevoked);
}

const json::value& JsonFields::object(std::string_view name) {
  const json::value* value = find(name);
  if (value != nullptr && value->is_object()) return *value;
  fail(name, "an object");
  return kNull;
}

const json::array& JsonFields::array(std::string_view name, std::size_t count_max) {
  const json::value* value = find(name);
  if (value == nullptr) return kNone;
  if (value->is_array() && value->get_array().size() <= count_max) return value->get_array();
  fail(name, "an array of at most " + std::to_string(count_max));
  return kNone;
}

std::vector<std::string> JsonFields::texts(std::string_view name, std::size_t count_max) {
  std::vector<std::string> found;
  for (const json::value& value : array(name, count_max)) {
    if (!value.is_string()) fail(name, "an array of strings");
    if (value.is_string()) found.emplace_back(value.get_string());
  }
  return found;
}

}  // namespace backplane::attestation
