// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/call_scanner.hpp"

#include <boost/json.hpp>
#include <utility>

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::size_t kEarlyBytesMax = std::size_t{1} << 20;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_call_member(std::string_view key) {
  return key == "name" || key == "arguments" || key == "parameters" || key == "id" || key == "type";
}

// The text of a JSON string; false where it is none.
bool decode(std::string_view quoted, std::string& out) {
  boost::system::error_code failure;
  const json::value value = json::parse(quoted, failure);
  if (failure || !value.is_string()) return false;
  out = value.get_string();
  return true;
}

}  // namespace

std::size_t CallScanner::push(std::string_view text) {
  std::size_t used = 0;
  while (used < text.size() && state_ == ScanState::kMore) used += step(text.substr(used));
  return used;
}

// What is wrong is not used up.
std::size_t CallScanner::step(std::string_view text) {
  const char c = text.front();
  switch (at_) {
    case At::kOpen:
      if (is_space(c)) return 1;
      if (c != '{') break;
      at_ = At::kKey;
      return 1;
    case At::kKey:
      return take_key(text);
    case At::kColon:
      if (is_space(c)) return 1;
      if (c != ':') break;
      at_ = At::kValue;
      return 1;
    case At::kValue:
      if (is_space(c)) return 1;
      begin_value(c);
      return 0;
    case At::kNext:
      if (is_space(c)) return 1;
      if (c == ',') {
        at_ = At::kKey;
        return 1;
      }
      if (c != '}') break;
      close();
      return state_ == ScanState::kDone ? 1 : 0;
    default:
      return take_value(text);
  }
  state_ = ScanState::kBad;
  return 0;
}

std::size_t CallScanner::take_key(std::string_view text) {
  if (text_.empty()) {
    if (is_space(text.front())) return 1;
    if (text.front() == '}' && first_key_) {
      close();
      return state_ == ScanState::kDone ? 1 : 0;
    }
    if (text.front() != '"') {
      state_ = ScanState::kBad;
      return 0;
    }
    first_key_ = false;
    value_ = {};
  }
  const std::size_t size = value_.push(text.substr(0, kCallNameBytesMax + 1 - text_.size()));
  text_.append(text.substr(0, size));
  if (text_.size() > kCallNameBytesMax) state_ = ScanState::kBad;
  if (value_.state() != ScanState::kDone) return size;
  const bool fits = decode(std::exchange(text_, {}), key_);
  if (!fits || (only_calls_ && !is_call_member(key_))) state_ = ScanState::kBad;
  at_ = At::kColon;
  return size;
}

void CallScanner::begin_value(char first) {
  const bool arguments = key_ == "arguments" || key_ == "parameters";
  value_ = {};
  at_ = At::kSkip;
  if (key_ == "name" && !announced_) {
    at_ = At::kName;
    if (first != '"') state_ = ScanState::kBad;
  } else if (arguments && !has_arguments_ && first == '{') {
    at_ = At::kArguments;
  } else if (arguments && !has_arguments_ && first == '"') {
    at_ = At::kArgumentsText;
  } else if (arguments && first != 'n') {  // null: none
    state_ = ScanState::kBad;
  }
}

// Up to one byte more than there may be, however the text comes.
std::size_t CallScanner::room() const {
  constexpr std::size_t kUnbounded = std::string_view::npos;
  switch (at_) {
    case At::kName:
      return kCallNameBytesMax + 1 - text_.size();
    case At::kArgumentsText:
      return kEarlyBytesMax + 1 - text_.size();
    case At::kArguments:
      return announced_ ? kUnbounded : kEarlyBytesMax + 1 - early_.size();
    default:
      return kUnbounded;
  }
}

std::size_t CallScanner::take_value(std::string_view text) {
  const std::size_t size = value_.push(text.substr(0, room()));
  const std::string_view part = text.substr(0, size);
  if (at_ == At::kArguments) tell(part);
  if (at_ == At::kName || at_ == At::kArgumentsText) text_.append(part);
  if (room() == 0 || value_.state() == ScanState::kBad) {
    state_ = ScanState::kBad;
  } else if (value_.state() == ScanState::kDone) {
    end_value();
  }
  return size;
}

void CallScanner::end_value() {
  std::string text;
  if (at_ == At::kName || at_ == At::kArgumentsText) {
    if (!decode(std::exchange(text_, {}), text)) {
      state_ = ScanState::kBad;
      return;
    }
  }
  if (at_ == At::kName) {
    name_ = std::move(text);
    announce();
  } else if (at_ == At::kArgumentsText) {
    tell(text);
  }
  at_ = At::kNext;
}

void CallScanner::announce() {
  if (name_.empty()) {
    state_ = ScanState::kBad;
    return;
  }
  announced_ = true;
  listener_->on_tool_call(name_, {});
  if (!early_.empty()) listener_->on_arguments(early_);
  early_.clear();
}

void CallScanner::tell(std::string_view arguments) {
  if (arguments.empty()) return;
  has_arguments_ = true;
  if (announced_) {
    listener_->on_arguments(arguments);
  } else {
    early_ += arguments;
  }
}

void CallScanner::close() {
  state_ = announced_ ? ScanState::kDone : ScanState::kBad;
  if (announced_ && !has_arguments_) listener_->on_arguments("{}");
}

}  // namespace backplane::local
