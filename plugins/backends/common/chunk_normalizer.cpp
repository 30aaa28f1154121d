// SPDX-License-Identifier: Apache-2.0
#include "common/chunk_normalizer.hpp"

#include <algorithm>
#include <charconv>

#include "common/body_splice.hpp"
#include "common/chunk_scan.hpp"

namespace backplane::dialect {
namespace {

constexpr std::size_t kIdMaxBytes = 512;

bool is_text(std::string_view value) {
  return value.size() > 2 && value.front() == '"';
}

bool is_absent(const JsonMember* member) {
  return member == nullptr || member->value == "null" || member->value == "\"\"";
}

std::uint64_t number_of(const JsonMember* member, std::uint64_t otherwise) {
  if (member == nullptr) return otherwise;
  std::uint64_t number = 0;
  const char* end = member->value.data() + member->value.size();
  const auto parsed = std::from_chars(member->value.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : otherwise;
}

// What stands between the quotes of a text.
std::string_view inside(const JsonMember* member) {
  if (member == nullptr || !is_text(member->value)) return {};
  return member->value.substr(1, member->value.size() - 2);
}

std::string quoted(std::string_view json) {
  return '"' + std::string(json) + '"';
}

std::string members_of(const TagSplitter::Parts& parts) {
  std::string out;
  if (!parts.reasoning.empty()) out = "\"reasoning_content\":" + quoted(parts.reasoning);
  if (!parts.reasoning.empty() && !parts.content.empty()) out += ',';
  if (!parts.content.empty()) out += "\"content\":" + quoted(parts.content);
  return out;
}

bool tells_thoughts(const std::vector<JsonMember>& members) {
  return !inside(find_member(members, "reasoning_content")).empty() ||
         !inside(find_member(members, "reasoning")).empty();
}

constexpr std::uint64_t kNone = UINT64_MAX;

// As JSON; empty: it stays.
std::string_view known_finish(std::string_view value, bool has_calls) {
  if (value == "\"\"") return "null";
  if (!is_text(value)) return {};
  const std::string_view reason = value.substr(1, value.size() - 2);
  if (reason == "stop") return has_calls ? "\"tool_calls\"" : std::string_view{};
  if (reason == "function_call") return has_calls ? "\"tool_calls\"" : std::string_view{};
  if (reason == "tool_use" || reason == "tool_call") return "\"tool_calls\"";
  if (reason == "max_tokens" || reason == "max_length" || reason == "model_length") {
    return "\"length\"";
  }
  if (reason == "eos" || reason == "eos_token" || reason == "end_turn" ||
      reason == "stop_sequence") {
    return has_calls ? "\"tool_calls\"" : "\"stop\"";
  }
  return {};
}

}  // namespace

std::string_view ChunkNormalizer::normalize(std::string_view document, std::size_t readable,
                                            const ChunkFacts& facts) {
  const bool is_plain =
      facts.is_plain_reasoning && !watches_all_ && !watches_text_ && !facts.says_stop;
  if (is_plain && add_reasoning(document, facts.reasoning_at)) return out_;
  edits_.clear();
  text_.open(document, readable);
  const auto members = text_.members(document);
  if (!members) return {};
  if (const JsonMember* choices = find_member(*members, "choices")) edit_choices(*choices);
  add_usage(*members);
  const auto answers = [](const auto& splitter) { return splitter.second.is_answering(); };
  watches_text_ =
      tags_ != ReasoningTags::kOff &&
      (splitters_.empty() || !std::all_of(splitters_.begin(), splitters_.end(), answers));
  return edits_.empty() ? std::string_view{} : with_edits(document);
}

std::string_view ChunkNormalizer::with_edits(std::string_view document) {
  sort_edits(edits_);
  out_.clear();
  std::size_t at = 0;
  for (const TextEdit& edit : edits_) {
    out_.append(document.substr(at, edit.offset - at));
    out_.append(edit.inserted);
    at = edit.offset + edit.removed_size;
  }
  out_.append(document.substr(at));
  return out_;
}

// Most of what a model that reasons sends: a text that is a member of the delta itself, which is
// sure where no bracket stands between. False: it cannot be told without a parse.
bool ChunkNormalizer::add_reasoning(std::string_view document, std::size_t key) {
  constexpr std::string_view kDelta = "\"delta\":{";
  constexpr std::string_view kKey = "\"reasoning\":";
  if (document.substr(std::min(key, document.size()), kKey.size()) != kKey) return false;
  const std::size_t open = document.substr(0, key).find_last_of("{}[]\\");
  if (open == std::string_view::npos) return false;
  if (!document.substr(0, open + 1).ends_with(kDelta)) return false;
  const std::size_t begin = key + kKey.size();
  if (begin == document.size() || document[begin] != '"') return false;
  std::size_t end = begin + 1;
  while (end < document.size() && document[end] != '"') end += document[end] == '\\' ? 2 : 1;
  if (end >= document.size()) return false;
  out_.assign(document.substr(0, key));
  out_.append("\"reasoning_content\":");
  out_.append(document.substr(begin, end + 1 - begin));
  out_ += ',';
  out_.append(document.substr(key));
  return true;
}

std::string ChunkNormalizer::finish() {
  std::string choices;
  for (auto& [index, splitter] : splitters_) {
    const TagSplitter::Parts parts = splitter.finish();
    if (parts.empty()) continue;
    choices += (choices.empty() ? "{\"index\":" : ",{\"index\":") + std::to_string(index) +
               ",\"delta\":{" + members_of(parts) + "},\"finish_reason\":null}";
  }
  if (choices.empty()) return {};
  return "{\"object\":\"chat.completion.chunk\",\"choices\":[" + choices + "]}";
}

void ChunkNormalizer::edit_choices(const JsonMember& choices) {
  if (choices.value == "null") return replace(choices.value, "[]");
  const auto items = text_.items(choices.value);
  if (!items) return;
  for (const std::string_view choice : *items) edit_choice(choice);
}

void ChunkNormalizer::edit_choice(std::string_view choice) {
  const auto members = text_.members(choice);
  if (!members) return;
  const std::uint64_t index = number_of(find_member(*members, "index"), 0);
  const JsonMember* finish = find_member(*members, "finish_reason");
  bool has_calls = false;
  if (const JsonMember* message = find_member(*members, "message")) {
    TagSplitter splitter(tags_);
    if (tags_ != ReasoningTags::kOff) split_text(splitter, *message, true);
    edit_text(message->value, nullptr);
    const auto said = text_.members(message->value);
    const JsonMember* calls = said ? find_member(*said, "tool_calls") : nullptr;
    const auto items = calls != nullptr ? text_.items(calls->value) : std::nullopt;
    has_calls = items && !items->empty();
  }
  if (index < kChoicesMax) {
    ToolCalls& calls = calls_[index];
    const JsonMember* delta = find_member(*members, "delta");
    if (delta != nullptr) {
      edit_text(delta->value, &calls);
      if (tags_ != ReasoningTags::kOff) {
        split_text(splitters_.try_emplace(index, tags_).first->second, *delta, !is_absent(finish));
      }
    } else if (finish != nullptr) {
      end_text(index, *finish);
    }
    has_calls |= !calls.empty();
  }
  if (finish != nullptr) edit_finish(*finish, has_calls);
}

// `calls` null: of a whole message, whose calls are told by their places.
void ChunkNormalizer::edit_text(std::string_view message, ToolCalls* calls) {
  const auto members = text_.members(message);
  if (!members) return;
  edit_reasoning(*members);
  const JsonMember* tools = find_member(*members, "tool_calls");
  const auto items = tools != nullptr ? text_.items(tools->value) : std::nullopt;
  if (!items) return;
  for (const std::string_view item : *items) edit_tool_call(item, calls);
}

// `is_last`: nothing of the text follows.
void ChunkNormalizer::split_text(TagSplitter& splitter, const JsonMember& message, bool is_last) {
  TagSplitter::Parts parts;
  const auto members = text_.members(message.value);
  if (members && tells_thoughts(*members)) {
    if (splitter.is_thinking()) return;
    parts = splitter.finish();
  }
  if (members) parts.add(splitter.push(inside(find_member(*members, "content"))));
  if (is_last) parts.add(splitter.finish());
  if (members) return give_parts(message.value, *members, parts);
  if (!parts.empty()) replace(message.value, '{' + members_of(parts) + '}');
}

// A choice ends in a document without a delta of it.
void ChunkNormalizer::end_text(std::uint64_t choice, const JsonMember& finish) {
  const auto splitter = splitters_.find(choice);
  if (splitter == splitters_.end() || is_absent(&finish)) return;
  const TagSplitter::Parts parts = splitter->second.finish();
  if (!parts.empty()) put(finish.begin, 0, "\"delta\":{" + members_of(parts) + "},");
}

void ChunkNormalizer::give_parts(std::string_view message, const std::vector<JsonMember>& members,
                                 const TagSplitter::Parts& parts) {
  const JsonMember* content = find_member(members, "content");
  const JsonMember* reasoning = find_member(members, "reasoning_content");
  TagSplitter::Parts added = parts;
  if (content != nullptr && (is_text(content->value) || !parts.content.empty())) {
    if (inside(content) != parts.content) replace(content->value, quoted(parts.content));
    added.content.clear();
  }
  if (reasoning != nullptr && !parts.reasoning.empty()) {
    replace(reasoning->value, quoted(parts.reasoning));
    added.reasoning.clear();
  }
  if (added.empty()) return;
  put(text_.offset(message) + 1, 0, members_of(added) + (members.empty() ? "" : ","));
}

void ChunkNormalizer::edit_reasoning(const std::vector<JsonMember>& members) {
  const JsonMember* reasoning = find_member(members, "reasoning");
  const JsonMember* content = find_member(members, "reasoning_content");
  if (reasoning == nullptr || !is_text(reasoning->value) || !is_absent(content)) return;
  if (content != nullptr) return replace(content->value, std::string(reasoning->value));
  put(reasoning->begin, 0, "\"reasoning_content\":" + std::string(reasoning->value) + ',');
}

// Which of the choice's calls a piece belongs to: `is_known` where its id was told before.
std::size_t ChunkNormalizer::place_of(const std::vector<JsonMember>& members, ToolCalls& calls,
                                      bool& is_known) {
  const std::uint64_t index = number_of(find_member(members, "index"), kNone);
  const JsonMember* id = find_member(members, "id");
  const std::size_t last = calls.empty() ? 0 : calls.size() - 1;
  if (is_absent(id)) return index == kNone || watches_all_ ? last : index;
  const auto same = [&](const ToolCall& call) { return call.id == id->value; };
  const auto found = std::find_if(calls.begin(), calls.end(), same);
  is_known = found != calls.end();
  if (is_known) return static_cast<std::size_t>(found - calls.begin());
  const bool is_free = index != kNone && (index >= calls.size() || calls[index].id.empty());
  if (index != kNone && !is_free) watches_all_ = true;
  return is_free ? index : calls.size();
}

void ChunkNormalizer::edit_tool_call(std::string_view item, ToolCalls* calls) {
  const auto members = text_.members(item);
  if (!members) return;
  const JsonMember* function = find_member(*members, "function");
  if (calls == nullptr) {
    if (function != nullptr) edit_function(*function, false);
    return;
  }
  has_calls_ = true;
  bool is_known = false;
  const std::size_t place = place_of(*members, *calls, is_known);
  if (place >= kToolCallsMax) return;
  if (place >= calls->size()) calls->resize(place + 1);
  ToolCall& call = (*calls)[place];
  const JsonMember* index = find_member(*members, "index");
  if (index == nullptr) {
    const auto stays = [&](const JsonMember& member) { return !is_known || member.name != "id"; };
    const bool is_alone = std::none_of(members->begin(), members->end(), stays);
    put(text_.offset(item) + 1, 0, "\"index\":" + std::to_string(place) + (is_alone ? "" : ","));
  } else if (number_of(index, kNone) != place) {
    replace(index->value, std::to_string(place));
  }
  const JsonMember* id = find_member(*members, "id");
  if (!is_absent(id) && !is_known && id->value.size() <= kIdMaxBytes) call.id = id->value;
  if (function != nullptr) call.is_named |= edit_function(*function, call.is_named && is_known);
  if (!is_known) return;
  std::vector<bool> is_removed(members->size());
  for (std::size_t i = 0; i < members->size(); ++i) is_removed[i] = (*members)[i].name == "id";
  remove_members(text_, *members, is_removed, edits_);
}

// Whether it has a name.
bool ChunkNormalizer::edit_function(const JsonMember& function, bool drops_name) {
  const auto members = text_.members(function.value);
  if (!members) return false;
  const JsonMember* arguments = find_member(*members, "arguments");
  if (arguments != nullptr &&
      (arguments->value.front() == '{' || arguments->value.front() == '[')) {
    replace(arguments->value, json_string(arguments->value));
  }
  const JsonMember* name = find_member(*members, "name");
  if (is_absent(name)) return false;
  if (!drops_name) return true;
  std::vector<bool> is_removed(members->size());
  for (std::size_t i = 0; i < members->size(); ++i) is_removed[i] = (*members)[i].name == "name";
  remove_members(text_, *members, is_removed, edits_);
  return true;
}

void ChunkNormalizer::edit_finish(const JsonMember& finish, bool has_calls) {
  is_given_up_ |= finish.value == "\"abort\"" || finish.value == "\"error\"";
  const std::string_view known = known_finish(finish.value, has_calls);
  if (!known.empty()) replace(finish.value, std::string(known));
}

void ChunkNormalizer::add_usage(const std::vector<JsonMember>& members) {
  const JsonMember* groq = find_member(members, "x_groq");
  const JsonMember* usage = find_member(members, "usage");
  if (groq == nullptr || !is_absent(usage)) return;
  const auto inner = text_.members(groq->value);
  const JsonMember* nested = inner ? find_member(*inner, "usage") : nullptr;
  if (nested == nullptr || nested->value.front() != '{') return;
  if (usage != nullptr) return replace(usage->value, std::string(nested->value));
  put(groq->begin, 0, "\"usage\":" + std::string(nested->value) + ',');
}

}  // namespace backplane::dialect
