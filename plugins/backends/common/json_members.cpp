// SPDX-License-Identifier: Apache-2.0
#include "common/json_members.hpp"

#include <simdjson.h>

#include <cassert>

namespace backplane::dialect {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kSpace = " \t\r\n";

// Empty: not valid JSON.
std::string_view raw_of(ondemand::value value) {
  std::string_view raw;
  ondemand::object object;
  ondemand::array array;
  simdjson::error_code error = simdjson::SUCCESS;
  if (value.get_object().get(object) == simdjson::SUCCESS) {
    error = object.raw_json().get(raw);
  } else if (value.get_array().get(array) == simdjson::SUCCESS) {
    error = array.raw_json().get(raw);
  } else {
    raw = value.raw_json_token();
  }
  if (error != simdjson::SUCCESS) return {};
  return raw.substr(0, raw.find_last_not_of(kSpace) + 1);
}

// From behind the opening quote to behind the closing one.
std::size_t rest_of_string(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

}  // namespace

struct JsonText::Parser {
  ondemand::parser parser;
  ondemand::document document;
};

JsonText::JsonText(std::string_view text, std::size_t readable)
    : text_(text), scanned_(text.data()), readable_(readable), parser_(new Parser) {
  const std::size_t wanted = text.size() + simdjson::SIMDJSON_PADDING;
  if (readable >= wanted) return;
  copy_.reserve(wanted);
  copy_.assign(text);
  scanned_ = copy_.data();
  readable_ = copy_.capacity();
}

JsonText::~JsonText() = default;

std::optional<std::vector<JsonMember>> JsonText::members(std::string_view part) {
  const std::size_t begin = offset(part);
  assert(begin + part.size() <= text_.size());
  const auto here = [&](const char* at) { return static_cast<std::size_t>(at - scanned_); };
  ondemand::object object;
  if (parser_->parser.iterate(scanned_ + begin, part.size(), readable_ - begin)
          .get(parser_->document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (parser_->document.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  std::vector<JsonMember> members;
  for (auto field : object) {
    ondemand::raw_json_string key;
    std::string_view name;
    ondemand::value value;
    if (field.key().get(key) != simdjson::SUCCESS) return std::nullopt;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return std::nullopt;
    if (field.value().get(value) != simdjson::SUCCESS) return std::nullopt;
    const std::size_t key_begin = here(key.raw()) - 1;
    const std::size_t key_size = 1 + rest_of_string(text_.substr(key_begin + 1));
    const std::string_view raw = raw_of(value);
    if (raw.empty()) return std::nullopt;
    members.push_back(
        {std::string(name), key_begin, key_size, text_.substr(here(raw.data()), raw.size())});
  }
  return members;
}

std::optional<std::vector<std::string_view>> JsonText::items(std::string_view part) {
  const std::size_t begin = offset(part);
  assert(begin + part.size() <= text_.size());
  ondemand::array array;
  if (parser_->parser.iterate(scanned_ + begin, part.size(), readable_ - begin)
          .get(parser_->document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (parser_->document.get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string_view> items;
  for (auto item : array) {
    ondemand::value value;
    if (item.get(value) != simdjson::SUCCESS) return std::nullopt;
    const std::string_view raw = raw_of(value);
    if (raw.empty()) return std::nullopt;
    items.push_back(text_.substr(static_cast<std::size_t>(raw.data() - scanned_), raw.size()));
  }
  return items;
}

}  // namespace backplane::dialect
