// SPDX-License-Identifier: Apache-2.0
// Reads the members of a JSON object that are required, and remembers the first fault: the values
// returned after one mean nothing.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/value.hpp>

#include "common/attestation/bytes.hpp"
#include "common/attestation/tcb_status.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kJsonBytesMax = 8 * 1024 * 1024;

// Errors: kInvalidArgument.
Result<boost::json::value> parse_json(std::string_view text);

// "2025-06-19T10:16:03Z" as seconds since 1970.
std::optional<std::int64_t> unix_time_of(std::string_view text);
std::string date_text(std::int64_t unix_time);

class JsonFields {
 public:
  // `fault` is empty while nothing is wrong; it may be shared by the readers of nested objects.
  JsonFields(const boost::json::value& object, std::string& fault);

  std::string text(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t max);
  std::int64_t time(std::string_view name);
  TcbStatus status(std::string_view name);
  template <std::size_t kSize>
  Field<kSize> hex(std::string_view name) {
    const auto field = field_from_hex<kSize>(text(name));
    if (!field) fail(name, std::to_string(2 * kSize) + " hex digits");
    return field.value_or(Field<kSize>{});
  }
  const boost::json::value& object(std::string_view name);
  // At most `count_max`; empty where there is none.
  const boost::json::array& array(std::string_view name, std::size_t count_max);
  std::vector<std::string> texts(std::string_view name, std::size_t count_max);
  bool has(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name) const;
  void fail(std::string_view name, const std::string& expected);

  const boost::json::object* object_;
  std::string& fault_;
};

}  // namespace backplane::attestation
