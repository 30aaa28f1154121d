// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/tool_call_parser.hpp"

#include <utility>

#include "plugins/backends/local/output/text_search.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kHeadBytesMax = 512;  // name and id before arguments
constexpr std::string_view kCallId = "[CALL_ID]";
constexpr std::string_view kArguments = "[ARGS]";

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kCallNameBytesMax) return false;
  return text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789_.:/-") == std::string_view::npos;
}

}  // namespace

ToolCallParser::Syntax ToolCallParser::syntax_of(ToolFormat format) {
  switch (format) {
    case ToolFormat::kHermes:
      return {"<tool_call>", "</tool_call>", false, false, false};
    case ToolFormat::kLlama3:
      return {"<|python_tag|>", {}, true, false, false};
    case ToolFormat::kGeneric:
      return {{}, {}, true, false, false};
    case ToolFormat::kMistral:
    case ToolFormat::kMistralNamed:
    case ToolFormat::kMistralNamedId:
      return {"[TOOL_CALLS]", {}, false, true, true};
    case ToolFormat::kNone:
      break;
  }
  return {};
}

ToolCallParser::ToolCallParser(ToolFormat format, OutputListener& listener)
    : syntax_(syntax_of(format)), listener_(listener), scanner_(listener, false) {}

void ToolCallParser::push(std::string_view text) {
  if (syntax_.begin.empty() && !syntax_.bare) return say(text);
  pending_ += text;
  while (!pending_.empty() && advance()) {
  }
}

bool ToolCallParser::advance() {
  switch (at_) {
    case At::kText:
      return find_call();
    case At::kBegin:
      return begin_call();
    case At::kCall:
      return take_call();
    case At::kAfter:
      return pass_end();
    case At::kName:
      return take_name();
    case At::kArguments:
      return take_arguments();
  }
  return false;
}

// White space is held back, as a call may follow it.
bool ToolCallParser::find_call() {
  const std::size_t word = pending_.find_first_not_of(kWhiteSpace);
  if (word == std::string::npos) return false;
  if (syntax_.bare && at_start_ && pending_[word] == '{') {
    raw_ = pending_.substr(0, word);
    pending_.erase(0, word);
    start_scan();
    return true;
  }
  const std::size_t found =
      syntax_.begin.empty() ? std::string::npos : pending_.find(syntax_.begin);
  if (found == std::string::npos) {
    const std::size_t size = pending_.size() - held_size(pending_, syntax_.begin);
    say(std::string_view(pending_).substr(0, size));
    pending_.erase(0, size);
    return false;
  }
  const std::string_view before = trim_end(std::string_view(pending_).substr(0, found));
  say(before);
  raw_ = pending_.substr(before.size(), found + syntax_.begin.size() - before.size());
  pending_.erase(0, found + syntax_.begin.size());
  at_ = At::kBegin;
  return true;
}

bool ToolCallParser::begin_call() {
  announced_ = false;
  const std::size_t word = pending_.find_first_not_of(kWhiteSpace);
  if (word == std::string::npos) return false;
  consume(word);
  const char c = pending_.front();
  if (c == '{') {
    start_scan();
  } else if (c == '[' && syntax_.listed && !in_list_) {
    in_list_ = true;
    consume(1);
  } else if (syntax_.named && !in_list_) {
    at_ = At::kName;
  } else {
    give_up();
  }
  return true;
}

void ToolCallParser::start_scan() {
  scanner_ = CallScanner(listener_, syntax_.bare);
  announced_ = false;
  at_start_ = false;
  at_ = At::kCall;
}

bool ToolCallParser::take_call() {
  const std::size_t size = scanner_.push(pending_);
  consume(size);
  if (scanner_.announced()) {
    announced_ = true;
    called_ = true;
    raw_.clear();
  }
  if (scanner_.state() == ScanState::kMore) return false;
  if (scanner_.state() == ScanState::kBad) {
    give_up();
  } else {
    at_ = At::kAfter;
  }
  return true;
}

bool ToolCallParser::pass_end() {
  const std::size_t word = pending_.find_first_not_of(kWhiteSpace);
  if (word == std::string::npos) return false;
  const std::string_view rest = std::string_view(pending_).substr(word);
  raw_.clear();
  if (in_list_ && (rest.front() == ',' || rest.front() == ']')) {
    in_list_ = rest.front() == ',';
    at_ = in_list_ ? At::kBegin : At::kText;
    if (in_list_) raw_ = pending_.substr(0, word + 1);
    pending_.erase(0, word + 1);
    return true;
  }
  if (!syntax_.end.empty() && rest.size() < syntax_.end.size() && syntax_.end.starts_with(rest)) {
    return false;
  }
  at_ = At::kText;
  in_list_ = false;
  if (!syntax_.end.empty() && rest.starts_with(syntax_.end)) {
    pending_.erase(0, word + syntax_.end.size());
  } else if (syntax_.bare && (rest.front() == ';' || rest.front() == '{')) {
    pending_.erase(0, word + (rest.front() == ';' ? 1 : 0));
    at_start_ = true;
  }
  return true;
}

// name, perhaps [CALL_ID] and an id, perhaps [ARGS], and then the arguments.
bool ToolCallParser::take_name() {
  const std::size_t brace = std::string_view(pending_).substr(0, kHeadBytesMax + 1).find('{');
  if (brace == std::string::npos) {
    const bool fits =
        pending_.size() <= kHeadBytesMax && pending_.find_first_of("\"}()<>") == std::string::npos;
    if (!fits) give_up();
    return !fits;
  }
  std::string_view name = trim(std::string_view(pending_).substr(0, brace));
  if (name.ends_with(kArguments)) name = trim(name.substr(0, name.size() - kArguments.size()));
  std::string_view id;
  if (const std::size_t found = name.find(kCallId); found != std::string_view::npos) {
    id = trim(name.substr(found + kCallId.size()));
    name = trim(name.substr(0, found));
  }
  if (!is_name(name) || (!id.empty() && !is_name(id))) {
    give_up();
    return true;
  }
  listener_.on_tool_call(name, id);
  announced_ = true;
  called_ = true;
  raw_.clear();
  pending_.erase(0, brace);
  arguments_ = {};
  at_ = At::kArguments;
  return true;
}

bool ToolCallParser::take_arguments() {
  const std::size_t size = arguments_.push(pending_);
  if (size > 0) listener_.on_arguments(std::string_view(pending_).substr(0, size));
  pending_.erase(0, size);
  if (arguments_.state() == ScanState::kMore) return false;
  if (arguments_.state() == ScanState::kBad) {
    give_up();
  } else {
    at_ = At::kAfter;
  }
  return true;
}

void ToolCallParser::consume(std::size_t size) {
  if (!announced_) raw_.append(pending_, 0, size);
  pending_.erase(0, size);
}

// What was heard of stays; the rest is text.
void ToolCallParser::give_up() {
  if (!announced_) say(raw_);
  raw_.clear();
  in_list_ = false;
  at_ = At::kText;
  at_start_ = false;
}

void ToolCallParser::say(std::string_view text) {
  if (text.empty()) return;
  if (text.find_first_not_of(kWhiteSpace) != std::string_view::npos) at_start_ = false;
  listener_.on_content(text);
}

void ToolCallParser::finish() {
  const bool open = at_ == At::kBegin || at_ == At::kCall || at_ == At::kName;
  if (open && !announced_) say(std::exchange(raw_, {}));
  const bool only_space = pending_.find_first_not_of(kWhiteSpace) == std::string::npos;
  const bool ends = at_ == At::kAfter && syntax_.end.starts_with(trim(pending_));
  if (!(called_ && (only_space || ends))) say(pending_);
  pending_.clear();
  at_ = At::kText;
}

}  // namespace backplane::local
