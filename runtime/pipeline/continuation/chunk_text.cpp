// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/continuation/chunk_text.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace backplane {
namespace {

namespace od = simdjson::ondemand;

constexpr std::array<std::string_view, 8> kNotText = {
    "tool_calls", "function_call",     "audio",      "refusal", "reasoning_content",
    "reasoning",  "reasoning_details", "annotations"};

std::string_view scalar(od::value& value) {
  const std::string_view token = value.raw_json_token();
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

// null, "" and [] say nothing.
bool says_something(od::value& value) {
  od::json_type type;
  if (value.type().get(type)) return true;
  if (type == od::json_type::null) return value.is_null().error();
  if (type == od::json_type::string) {
    std::string_view text;
    return value.get_string().get(text) || !text.empty();
  }
  bool is_empty = false;
  od::array array;
  return value.get_array().get(array) || array.is_empty().get(is_empty) || !is_empty;
}

// Empty for null. False: it is no text.
bool read_text(od::value& value, std::string& out) {
  od::json_type type;
  if (value.type().get(type)) return false;
  if (type == od::json_type::null) return !value.is_null().error();
  std::string_view text;
  if (value.get_string().get(text)) return false;
  out += text;
  return true;
}

bool read_delta(od::value& value, ChunkText& out) {
  od::object delta;
  if (value.get_object().get(delta)) return false;
  for (auto field : delta) {
    std::string_view key;
    od::value member;
    if (field.unescaped_key().get(key) || field.value().get(member)) return false;
    if (key == "content") {
      if (!read_text(member, out.text)) return false;
    } else if (std::find(kNotText.begin(), kNotText.end(), key) != kNotText.end()) {
      out.is_plain &= !says_something(member);
    }
  }
  return true;
}

bool read_choice(od::value& value, ChunkText& out) {
  od::object choice;
  if (value.get_object().get(choice)) return false;
  for (auto field : choice) {
    std::string_view key;
    od::value member;
    if (field.unescaped_key().get(key) || field.value().get(member)) return false;
    if (key == "index") {
      std::uint64_t index = 0;
      if (member.get_uint64().get(index)) return false;
      out.is_plain &= index == 0;
    } else if (key == "delta") {
      if (!read_delta(member, out)) return false;
    } else if (key == "finish_reason") {
      if (!read_text(member, out.finish_reason)) return false;
    } else if (key == "logprobs") {
      od::json_type type;
      if (member.type().get(type)) return false;
      out.is_plain &= type == od::json_type::null && !member.is_null().error();
    }
  }
  return true;
}

bool read_choices(od::value& value, ChunkText& out) {
  od::json_type type;
  if (value.type().get(type)) return false;
  if (type == od::json_type::null) return !value.is_null().error();
  od::array choices;
  if (value.get_array().get(choices)) return false;
  std::size_t count = 0;
  for (auto element : choices) {
    od::value choice;
    if (element.get(choice) || !read_choice(choice, out)) return false;
    out.is_plain &= ++count == 1;
  }
  return true;
}

}  // namespace

std::optional<ChunkText> read_chunk_text(std::string_view document) {
  thread_local od::parser parser;
  thread_local std::string padded;
  padded.assign(document);
  padded.append(simdjson::SIMDJSON_PADDING, '\0');
  od::document parsed;
  od::object object;
  if (parser.iterate(padded.data(), document.size(), padded.size()).get(parsed) ||
      parsed.get_object().get(object)) {
    return std::nullopt;
  }
  // What was copied stands in the document at the same place.
  const auto borrowed = [&](std::string_view token) {
    return document.substr(static_cast<std::size_t>(token.data() - padded.data()), token.size());
  };
  ChunkText out;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return std::nullopt;
    if (key == "choices") {
      if (!read_choices(value, out)) return std::nullopt;
    } else if (key == "id") {
      out.id = borrowed(scalar(value));
    } else if (key == "created") {
      out.created = borrowed(scalar(value));
    } else if (key == "model") {
      out.model = borrowed(scalar(value));
    }
  }
  return out;
}

}  // namespace backplane
