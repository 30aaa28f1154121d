// SPDX-License-Identifier: Apache-2.0
// Documents of a chat: what a document is changed into is a document, and where a text with
// thoughts is cut makes no difference.
#include "common/chunk_normalizer.hpp"

#include <algorithm>
#include <string>

#include "common/body_splice.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

using namespace backplane::dialect;
using backplane::fuzz::expect;

// What clients put together of the documents that `text`, cut into pieces of `size`, becomes.
TagSplitter::Parts read_in_pieces(std::string_view text, std::size_t size, ReasoningTags tags) {
  ChunkNormalizer normalizer(tags);
  TagSplitter::Parts parts;
  const auto gather = [&](std::string_view document) {
    JsonText json;
    json.open(document, document.size());
    const auto members = json.members(document);
    expect(members.has_value(), "a document became none");
    const auto choices = json.items(find_member(*members, "choices")->value);
    for (const std::string_view choice : *choices) {
      const auto inside = json.members(choice);
      const auto delta = json.members(find_member(*inside, "delta")->value);
      const auto text_of = [&](std::string_view name) {
        const JsonMember* member = find_member(*delta, name);
        return member == nullptr ? std::string_view{}
                                 : member->value.substr(1, member->value.size() - 2);
      };
      parts.add({std::string(text_of("reasoning_content")), std::string(text_of("content"))});
    }
  };
  for (std::size_t at = 0; at < text.size(); at += size) {
    const std::string document =
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":" + json_string(text.substr(at, size)) +
        "}}]}";
    const std::string changed(normalizer.normalize(document, document.size()));
    gather(changed.empty() ? document : changed);
  }
  if (const std::string rest = normalizer.finish(); !rest.empty()) gather(rest);
  return parts;
}

void expect_the_same(std::string text) {
  for (char& byte : text) byte = static_cast<char>(byte & 0x7f);
  for (const ReasoningTags tags : {ReasoningTags::kAuto, ReasoningTags::kOpened}) {
    const TagSplitter::Parts whole = read_in_pieces(text, text.size(), tags);
    for (const std::size_t size : {std::size_t{1}, std::size_t{3}, text.size() / 2 + 1}) {
      const TagSplitter::Parts parts = read_in_pieces(text, size, tags);
      expect(parts.reasoning == whole.reasoning, "thoughts depend on where they are cut");
      expect(parts.content == whole.content, "an answer depends on where it is cut");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size != 0 && size <= 64) expect_the_same({reinterpret_cast<const char*>(data), size});
  ChunkReader reader;
  ChunkNormalizer normalizer(size % 2 == 0 ? ReasoningTags::kOff : ReasoningTags::kAuto);
  // Lines are documents of one stream, one after the other.
  std::string_view rest = backplane::fuzz::text_of(data, size);
  while (!rest.empty()) {
    const std::string document(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), document.size() + 1));
    const ChunkFacts facts = reader.read(document);
    normalizer.wants(facts);
    const bool is_whole = is_whole_object(document);
    const std::string changed(normalizer.normalize(document, document.size(), facts));
    if (changed.empty() || !is_whole) continue;
    expect(is_whole_object(changed), "a document became none");
  }
  return 0;
}
