// SPDX-License-Identifier: Apache-2.0
// Makes one dialect of a chat's documents, of a stream or whole. What is not named here stays as it
// came, byte for byte:
//   reasoning       also as reasoning_content; the original stays, to be sent back
//   tool calls      each piece has its call's index; id and name come once; arguments are text
//   finish reasons  "" is null; eos, max_tokens ... are stop, length ...; stop or function_call
//                   after tool calls is tool_calls
//   x_groq.usage    also as usage, where that is missing
//   choices: null   is []
//   tags            thoughts between them are reasoning_content (reasoning_tags.hpp), where asked
//   for
// One serves one call. Not thread-safe.
#pragma once

#include "common/chunk_reader.hpp"
#include "common/json_members.hpp"
#include "common/reasoning_tags.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kToolCallsMax = 256;  // of a choice; beyond it nothing is changed

class ChunkNormalizer {
 public:
  explicit ChunkNormalizer(ReasoningTags tags = ReasoningTags::kOff)
      : tags_(tags), watches_text_(tags != ReasoningTags::kOff) {}

  // Whether a document with these facts may have to change.
  bool wants(const ChunkFacts& facts) const {
    return facts.may_need_changes || watches_all_ || watches_text_ ||
           (has_calls_ && facts.says_stop) ||
           (tags_ != ReasoningTags::kOff && facts.has_other_choice);
  }

  // Empty: there is nothing to change. `facts` are the document's, `readable` is as JsonText has
  // it. Valid until the next call.
  std::string_view normalize(std::string_view document, std::size_t readable,
                             const ChunkFacts& facts = {});

  // The stream has ended: a document with what is held back of choices that have not, or nothing.
  std::string finish();

  // A choice ended because the provider gave it up.
  bool is_given_up() const { return is_given_up_; }

 private:
  struct ToolCall {
    std::string id;  // its JSON
    bool is_named = false;
  };
  using ToolCalls = std::vector<ToolCall>;

  std::string_view with_edits(std::string_view document);
  bool add_reasoning(std::string_view document, std::size_t key);
  void edit_choices(const JsonMember& choices);
  void edit_choice(std::string_view choice);
  void edit_text(std::string_view message, ToolCalls* calls);
  void edit_reasoning(const std::vector<JsonMember>& members);
  void edit_tool_call(std::string_view item, ToolCalls* calls);
  bool edit_function(const JsonMember& function, bool drops_name);
  void edit_finish(const JsonMember& finish, bool has_calls);
  void split_text(TagSplitter& splitter, const JsonMember& message, bool is_last);
  void end_text(std::uint64_t choice, const JsonMember& finish);
  void give_parts(std::string_view message, const std::vector<JsonMember>& members,
                  const TagSplitter::Parts& parts);
  void add_usage(const std::vector<JsonMember>& members);
  std::size_t place_of(const std::vector<JsonMember>& members, ToolCalls& calls, bool& is_known);

  void put(std::size_t offset, std::size_t removed_size, std::string inserted) {
    edits_.push_back({offset, removed_size, std::move(inserted)});
  }
  void replace(std::string_view part, std::string text) {
    put(text_.offset(part), part.size(), std::move(text));
  }

  JsonText text_;
  std::vector<TextEdit> edits_;
  std::string out_;
  std::map<std::uint64_t, ToolCalls> calls_;  // by choice
  std::map<std::uint64_t, TagSplitter> splitters_;
  const ReasoningTags tags_;
  bool watches_text_;  // some of it may still be thoughts
  bool has_calls_ = false;
  bool watches_all_ = false;  // the provider's indexes are of no use
  bool is_given_up_ = false;
};

}  // namespace backplane::dialect
