// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/output_parser.hpp"

#include "plugins/backends/local/output/text_search.hpp"

namespace backplane::local {

OutputParser::OutputParser(const OutputFormat& format, bool begins_thinking,
                           OutputListener& listener)
    : tags_(format.reasoning),
      listener_(listener),
      calls_(format.tools, listener),
      at_(tags_.close.empty() ? At::kAnswer
          : begins_thinking   ? At::kThinking
                              : At::kStart) {}

void OutputParser::push(std::string_view text) {
  if (at_ == At::kAnswer) return calls_.push(text);
  pending_ += text;
  while (!pending_.empty() && advance()) {
  }
}

bool OutputParser::advance() {
  switch (at_) {
    case At::kStart:
      return look_for_thoughts();
    case At::kThinking:
      return think();
    case At::kBehind:
      pending_.erase(0, pending_.size() - trim_start(pending_).size());
      if (!pending_.empty()) at_ = At::kAnswer;
      return !pending_.empty();
    case At::kAnswer:
      calls_.push(pending_);
      pending_.clear();
  }
  return false;
}

bool OutputParser::look_for_thoughts() {
  const std::string_view text = trim_start(pending_);
  if (text.size() < tags_.open.size() && std::string_view(tags_.open).starts_with(text)) {
    return false;
  }
  if (!text.starts_with(tags_.open)) {
    at_ = At::kAnswer;
    return true;
  }
  pending_.erase(0, pending_.size() - text.size() + tags_.open.size());
  at_ = At::kThinking;
  return true;
}

// The white space at both ends of the thoughts is none of them.
bool OutputParser::think() {
  const std::size_t found = pending_.find(tags_.close);
  const std::size_t size =
      found == std::string::npos ? pending_.size() - held_size(pending_, tags_.close) : found;
  std::string_view text = std::string_view(pending_).substr(0, size);
  if (found != std::string::npos) text = trim_end(text);
  if (!thought_) text = trim_start(text);
  if (!text.empty()) {
    thought_ = true;
    listener_.on_reasoning(text);
  }
  if (found == std::string::npos) {
    pending_.erase(0, size);
    return false;
  }
  pending_.erase(0, found + tags_.close.size());
  at_ = At::kBehind;
  return true;
}

void OutputParser::finish() {
  if (at_ == At::kThinking) {
    const std::string_view rest = thought_ ? trim_end(pending_) : trim(pending_);
    if (!rest.empty()) listener_.on_reasoning(rest);
  } else if (!pending_.empty()) {
    calls_.push(pending_);
  }
  pending_.clear();
  calls_.finish();
}

}  // namespace backplane::local
