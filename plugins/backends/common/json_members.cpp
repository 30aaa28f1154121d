// SPDX-License-Identifier: Apache-2.0
#include "common/json_members.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace backplane::dialect {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kSpace = " \t\r\n";

// Empty: not valid JSON. Where brackets do not match the parser may point out of `read`.
std::string_view raw_of(ondemand::value value, std::string_view read) {
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
  const char* end = read.data() + read.size();
  if (error != simdjson::SUCCESS || raw.data() < read.data() || raw.data() > end) return {};
  if (raw.size() > static_cast<std::size_t>(end - raw.data())) return {};
  return raw.substr(0, raw.find_last_not_of(kSpace) + 1);
}

// What parsing needs of memory, kept from text to text. One is read at a time, so that a thread's
// texts share it.
class Parsing {
 public:
  ~Parsing() {
    if (parser().capacity() > kKeptMaxBytes) parser() = ondemand::parser();
  }

  bool begin(const char* text, std::size_t size, std::size_t readable) {
    return parser().iterate(text, size, readable).get(document_) == simdjson::SUCCESS;
  }
  ondemand::document& document() { return document_; }

 private:
  static constexpr std::size_t kKeptMaxBytes = std::size_t{64} << 10;

  static ondemand::parser& parser() {
    thread_local ondemand::parser kept;
    return kept;
  }

  ondemand::document document_;
};

// From behind the opening quote to behind the closing one.
std::size_t rest_of_string(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

}  // namespace

void JsonText::open(std::string_view text, std::size_t readable) {
  text_ = text;
  scanned_ = text.data();
  readable_ = readable;
  const std::size_t wanted = text.size() + simdjson::SIMDJSON_PADDING;
  if (readable >= wanted) return;
  copy_.reserve(wanted);
  copy_.assign(text);
  scanned_ = copy_.data();
  readable_ = copy_.capacity();
}

std::optional<std::vector<JsonMember>> JsonText::members(std::string_view part) {
  const std::size_t begin = offset(part);
  assert(begin + part.size() <= text_.size());
  const auto here = [&](const char* at) { return static_cast<std::size_t>(at - scanned_); };
  ondemand::object object;
  Parsing parsing;
  if (!parsing.begin(scanned_ + begin, part.size(), readable_ - begin)) return std::nullopt;
  if (parsing.document().get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
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
    const std::string_view raw = raw_of(value, {scanned_ + begin, part.size()});
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
  Parsing parsing;
  if (!parsing.begin(scanned_ + begin, part.size(), readable_ - begin)) return std::nullopt;
  if (parsing.document().get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string_view> items;
  for (auto item : array) {
    ondemand::value value;
    if (item.get(value) != simdjson::SUCCESS) return std::nullopt;
    const std::string_view raw = raw_of(value, {scanned_ + begin, part.size()});
    if (raw.empty()) return std::nullopt;
    items.push_back(text_.substr(static_cast<std::size_t>(raw.data() - scanned_), raw.size()));
  }
  return items;
}

bool remove_members(const JsonText& text, const std::vector<JsonMember>& members,
                    const std::vector<bool>& is_removed, std::vector<TextEdit>& edits) {
  const auto end_of = [&](const JsonMember& member) {
    return text.offset(member.value) + member.value.size();
  };
  const std::size_t count = members.size();
  for (std::size_t first = 0; first < count; ++first) {
    if (!is_removed[first]) continue;
    std::size_t last = first;
    while (last + 1 < count && is_removed[last + 1]) ++last;
    const bool is_tail = last + 1 == count;
    const std::size_t begin =
        is_tail && first != 0 ? end_of(members[first - 1]) : members[first].begin;
    const std::size_t end = is_tail ? end_of(members[last]) : members[last + 1].begin;
    edits.push_back({begin, end - begin, {}});
    first = last;
  }
  return std::find(is_removed.begin(), is_removed.end(), false) != is_removed.end();
}

void sort_edits(std::vector<TextEdit>& edits) {
  std::sort(edits.begin(), edits.end(), [](const TextEdit& a, const TextEdit& b) {
    return std::pair(a.offset, a.removed_size) < std::pair(b.offset, b.removed_size);
  });
}

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name) {
  const auto is_it = [&](const JsonMember& member) { return member.name == name; };
  const auto found = std::find_if(members.begin(), members.end(), is_it);
  return found == members.end() ? nullptr : &*found;
}

}  // namespace backplane::dialect
