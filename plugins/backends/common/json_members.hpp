// SPDX-License-Identifier: Apache-2.0
// Where the members of an object stand in its text, so that they can be edited in place.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

struct JsonMember {
  std::string name;        // unescaped
  std::size_t begin;       // of the key's quote
  std::size_t key_size;    // quotes included
  std::string_view value;  // its JSON, without space around it; a part of the text
};

// Reads objects and arrays that are parts of one text, of which `readable` bytes may be read from
// its start (fewer than 64 more than its size: it is copied once). Nothing below the asked level is
// validated. Not thread-safe.
class JsonText {
 public:
  JsonText(std::string_view text, std::size_t readable);
  ~JsonText();
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // Nothing: `part`, which lies in the text, is not an object, or is not JSON.
  std::optional<std::vector<JsonMember>> members(std::string_view part);
  std::optional<std::vector<std::string_view>> items(std::string_view part);

  // Of `part`, in the text.
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }

 private:
  struct Parser;

  std::string copy_;
  std::string_view text_;  // as the client of this class knows it
  const char* scanned_;    // the same bytes, with room behind them
  std::size_t readable_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace backplane::dialect
