// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/canonical_json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <vector>

namespace backplane::attestation {
namespace {

namespace json = boost::json;

constexpr std::int64_t kIntegerMax = (std::int64_t{1} << 53) - 1;

// Names are in the order of their UTF-16 units. That differs from the order of their bytes only
// where one has a character beyond the basic plane (first byte F0 or more) and the other one of
// U+E000 to U+FFFF (EE, EF).
bool is_before(std::string_view left, std::string_view right) {
  const auto rank = [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    if (value == 0xee || value == 0xef) return value + 0x100;
    return static_cast<int>(value);
  };
  return std::lexicographical_compare(
      left.begin(), left.end(), right.begin(), right.end(),
      [&](char one, char other) { return rank(one) < rank(other); });
}

void write_text(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::string_view kNamed = "\b\t\n\f\r\"\\";
  constexpr std::string_view kNames = "btnfr\"\\";
  out += '"';
  for (const char next : text) {
    const auto value = static_cast<unsigned char>(next);
    if (const std::size_t named = kNamed.find(next); named != std::string_view::npos) {
      out += '\\';
      out += kNames[named];
    } else if (value < 0x20) {
      out += "\\u00";
      out += kDigits[value >> 4];
      out += kDigits[value & 15];
    } else {
      out += next;
    }
  }
  out += '"';
}

bool write(const json::value& value, std::string& out);

bool write_array(const json::array& array, std::string& out) {
  char before = '[';
  for (const json::value& each : array) {
    out += before;
    before = ',';
    if (!write(each, out)) return false;
  }
  out += array.empty() ? "[]" : "]";
  return true;
}

bool write_object(const json::object& object, std::string& out) {
  std::vector<const json::key_value_pair*> members;
  for (const json::key_value_pair& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* left, const auto* right) {
    return is_before(left->key(), right->key());
  });
  char before = '{';
  for (const json::key_value_pair* member : members) {
    out += before;
    before = ',';
    write_text(member->key(), out);
    out += ':';
    if (!write(member->value(), out)) return false;
  }
  out += object.empty() ? "{}" : "}";
  return true;
}

bool write_integer(const json::value& value, std::string& out) {
  if (!value.is_int64()) return false;
  const std::int64_t number = value.get_int64();
  if (number > kIntegerMax || number < -kIntegerMax) return false;
  out += std::to_string(number);
  return true;
}

bool write(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return true;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return true;
    case json::kind::string:
      write_text(value.get_string(), out);
      return true;
    case json::kind::array:
      return write_array(value.get_array(), out);
    case json::kind::object:
      return write_object(value.get_object(), out);
    default:
      return write_integer(value, out);
  }
}

}  // namespace

std::optional<std::string> canonical_json(const json::value& value) {
  std::string out;
  if (!write(value, out)) return std::nullopt;
  return out;
}

}  // namespace backplane::attestation
