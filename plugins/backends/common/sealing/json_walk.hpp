// SPDX-License-Identifier: Apache-2.0
// Walking JSON that has been validated, and rewriting parts of it where they stand. Not
// thread-safe.
#pragma once

#include <simdjson.h>
#include <backplane/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

using JsonValue = simdjson::ondemand::value;

// One text. `open` validates all of it.
class JsonDocument {
 public:
  // Nothing: `text` is not one JSON object. Views given out are valid until the next open.
  std::optional<simdjson::ondemand::object> open(std::string_view text);
  // The object again, from its beginning.
  std::optional<simdjson::ondemand::object> reopen();

  std::string_view text() const { return {padded_.data(), size_}; }
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - padded_.data());
  }

 private:
  std::string padded_;
  std::size_t size_ = 0;
  simdjson::dom::parser validator_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
};

// Calls `visit(name, value)`, which returns a Status, until one fails.
template <class Visit>
Status for_each_member(simdjson::ondemand::object object, Visit&& visit) {
  for (auto member : object) {
    std::string_view name;
    JsonValue value;
    if (member.unescaped_key().get(name) || member.value().get(value)) {
      return invalid_argument("a member's name is no text");
    }
    if (const Status visited = visit(name, value); !visited) return visited;
  }
  return ok();
}

// Calls `visit(position, value)` likewise.
template <class Visit>
Status for_each_item(simdjson::ondemand::array array, Visit&& visit) {
  std::size_t position = 0;
  for (auto item : array) {
    JsonValue value;
    if (item.get(value)) return invalid_argument("an array is broken");
    if (const Status visited = visit(position++, value); !visited) return visited;
  }
  return ok();
}

// The JSON of a string, number or other scalar, where it stands.
std::string_view raw_scalar(JsonValue value);

// A scalar without text (null, a number, a boolean, ""), or an empty array or object. Consumes it.
bool is_bare(JsonValue value);
bool is_null(JsonValue value);

// A part of a text and what takes its place.
struct Replacement {
  std::size_t offset;
  std::size_t size;
  std::string text;
};

// `replacements` by offset, not overlapping.
std::string replace_all(std::string_view text, const std::vector<Replacement>& replacements);

}  // namespace backplane::sealing
