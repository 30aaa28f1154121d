// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/text.hpp"

#include "runtime/plugin/description.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace backplane {
namespace {

namespace json = boost::json;

// Length of the character at the front, 0 where it is none (Unicode 15, table 3-7).
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  const unsigned second = at(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_logprobs(std::string_view text) {
  boost::system::error_code failure;
  const json::value root = json::parse(text, failure);
  if (failure || !root.is_array()) return false;
  return std::all_of(root.get_array().begin(), root.get_array().end(), [](const json::value& one) {
    if (!one.is_object()) return false;
    const json::value* token = one.get_object().if_contains("token");
    const json::value* logprob = one.get_object().if_contains("logprob");
    return token != nullptr && token->is_string() && logprob != nullptr && logprob->is_number();
  });
}

bool is_json_object(std::string_view text) {
  boost::system::error_code failure;
  const json::value root = json::parse(text, failure);
  return !failure && root.is_object();
}

std::string fault_of_description(PluginKind kind, std::string_view text) {
  if (kind == PluginKind::kBackend) {
    const Result<Description> description = read_description(text);
    return description ? "" : description.error().message;
  }
  return is_json_object(text) ? "" : "expected a JSON object";
}

}  // namespace backplane
