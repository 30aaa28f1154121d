// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/json_walk.hpp"

namespace backplane::sealing {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kSpace = " \t\r\n";

// Between the brackets is nothing but space.
bool is_empty(std::string_view raw) {
  const std::size_t inside = raw.find_first_not_of(kSpace, 1);
  return inside != std::string_view::npos && (raw[inside] == '}' || raw[inside] == ']');
}

}  // namespace

std::optional<ondemand::object> JsonDocument::open(std::string_view text) {
  size_ = text.size();
  padded_.reserve(size_ + simdjson::SIMDJSON_PADDING);
  padded_.assign(text);
  simdjson::dom::object object;
  if (size_ == 0 || validator_.parse(padded_.data(), size_, false).get(object)) {
    return std::nullopt;
  }
  return reopen();
}

std::optional<ondemand::object> JsonDocument::reopen() {
  ondemand::object object;
  if (parser_.iterate(padded_.data(), size_, padded_.capacity()).get(document_) ||
      document_.get_object().get(object)) {
    return std::nullopt;
  }
  return object;
}

std::string_view raw_scalar(JsonValue value) {
  const std::string_view raw = value.raw_json_token();
  return raw.substr(0, raw.find_last_not_of(kSpace) + 1);
}

bool is_null(JsonValue value) {
  return raw_scalar(value) == "null";
}

bool is_bare(JsonValue value) {
  ondemand::json_type type{};
  if (value.type().get(type)) return false;
  std::string_view raw;
  ondemand::object object;
  ondemand::array array;
  if (type == ondemand::json_type::object) {
    return !value.get_object().get(object) && !object.raw_json().get(raw) && is_empty(raw);
  }
  if (type == ondemand::json_type::array) {
    return !value.get_array().get(array) && !array.raw_json().get(raw) && is_empty(raw);
  }
  return type != ondemand::json_type::string || raw_scalar(value) == "\"\"";
}

std::string replace_all(std::string_view text, const std::vector<Replacement>& replacements) {
  std::string out;
  std::size_t at = 0;
  for (const Replacement& replacement : replacements) {
    out.append(text.substr(at, replacement.offset - at)).append(replacement.text);
    at = replacement.offset + replacement.size;
  }
  return out.append(text.substr(at));
}

}  // namespace backplane::sealing
