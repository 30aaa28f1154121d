// SPDX-License-Identifier: Apache-2.0
#include "completion_logprobs.hpp"

#include "json_text.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace backplane::http {
namespace {

namespace json = boost::json;

std::uint64_t characters_of(std::string_view utf8) {
  return static_cast<std::uint64_t>(std::count_if(utf8.begin(), utf8.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

const json::value& member(const json::value& entry, std::string_view name) {
  static const json::value kNull;
  const json::value* found = entry.is_object() ? entry.get_object().if_contains(name) : nullptr;
  return found == nullptr ? kNull : *found;
}

std::string_view token_of(const json::value& entry) {
  const json::value& token = member(entry, "token");
  return token.is_string() ? std::string_view(token.get_string()) : std::string_view();
}

// {"token": logprob, ...}; of equal texts the likelier, which comes first, counts.
json::value top_of(const json::value& entry) {
  const json::value& top = member(entry, "top_logprobs");
  if (!top.is_array() || top.get_array().empty()) return nullptr;
  json::object out;
  for (const json::value& other : top.get_array()) {
    out.emplace(token_of(other), member(other, "logprob"));
  }
  return out;
}

}  // namespace

std::string_view array_inside(std::string_view array) {
  const std::size_t open = array.find('[');
  const std::size_t close = array.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return array.substr(open + 1, close - open - 1);
}

void append_completion_logprobs(std::string& out, std::string_view entries,
                                std::uint64_t& characters) {
  boost::system::error_code failure;
  const json::value all = json::parse("[" + std::string(entries) + "]", failure);
  if (failure || !all.is_array()) {
    out += "null";
    return;
  }
  json::array tokens, logprobs, tops, offsets;
  for (const json::value& entry : all.get_array()) {
    const std::string_view token = token_of(entry);
    tokens.emplace_back(token);
    logprobs.push_back(member(entry, "logprob"));
    tops.push_back(top_of(entry));
    offsets.emplace_back(characters);
    characters += characters_of(token);
  }
  out += json::serialize(json::object{{"tokens", std::move(tokens)},
                                      {"token_logprobs", std::move(logprobs)},
                                      {"top_logprobs", std::move(tops)},
                                      {"text_offset", std::move(offsets)}});
}

}  // namespace backplane::http
