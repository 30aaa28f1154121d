// SPDX-License-Identifier: Apache-2.0
// Where the members of an object stand in its text, so that they can be edited in place.
#pragma once

#include <cstddef>
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

// Reads objects and arrays that are parts of one text. Nothing below the asked level is validated.
// Not thread-safe.
class JsonText {
 public:
  JsonText() = default;
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // Of `text`, which is borrowed, `readable` bytes may be read from its start: fewer than 64 more
  // than its size, and it is copied.
  void open(std::string_view text, std::size_t readable);

  // Nothing: `part`, which lies in the text, is not an object, or is not JSON.
  std::optional<std::vector<JsonMember>> members(std::string_view part);
  std::optional<std::vector<std::string_view>> items(std::string_view part);

  // Of `part`, in the text.
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }

 private:
  std::string copy_;
  std::string_view text_;
  const char* scanned_ = nullptr;  // the same bytes, with room behind them
  std::size_t readable_ = 0;
};

struct TextEdit {
  std::size_t offset;
  std::size_t removed_size;
  std::string inserted;
};

// Takes members out of an object, with one comma each, so that what is left has one between every
// two. Whether any is left.
bool remove_members(const JsonText& text, const std::vector<JsonMember>& members,
                    const std::vector<bool>& is_removed, std::vector<TextEdit>& edits);

// By offset; what is inserted at the beginning of what is removed comes first.
void sort_edits(std::vector<TextEdit>& edits);

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name);

}  // namespace backplane::dialect
