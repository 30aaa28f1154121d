// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/choice.hpp"

#include "plugins/backends/local/logprobs_json.hpp"

namespace backplane::local {
namespace {

// Mistral's templates want exactly so many letters and digits.
constexpr std::size_t kShortIdBytes = 9;
constexpr std::size_t kIdBytes = 24;

bool is_mistral(ToolFormat format) {
  return format == ToolFormat::kMistral || format == ToolFormat::kMistralNamed ||
         format == ToolFormat::kMistralNamedId;
}

}  // namespace

Choice::Choice(ChoiceOwner& owner, const Tokenizer& tokenizer, std::uint32_t index)
    : owner_(owner), tokenizer_(tokenizer), index_(index) {}

void Choice::read_as(const OutputFormat& format, bool begins_thinking) {
  short_ids_ = is_mistral(format.tools);
  if (format.tools == ToolFormat::kNone && format.reasoning.close.empty()) return;
  parser_.emplace(format, begins_thinking, static_cast<OutputListener&>(*this));
}

void Choice::on_piece(const Piece& piece) {
  logprobs_.clear();
  if (!piece.logprobs.empty()) append_logprobs(logprobs_, piece.logprobs, tokenizer_);
  if (!parser_) return send_text(piece.text, logprobs_);
  if (!logprobs_.empty()) send_text({}, logprobs_);
  const bool was_thinking = parser_->is_thinking();
  parser_->push(piece.text);
  if (was_thinking || parser_->is_thinking()) reasoning_tokens_ += piece.tokens;
}

void Choice::on_finish(FinishReason reason, const Usage& usage) {
  if (parser_ && reason != FinishReason::kCancelled) parser_->finish();
  if (reason != FinishReason::kCancelled) {
    const bool calls = tool_calls_ > 0 && reason == FinishReason::kStop;
    owner_.end_event(owner_.begin_event().finish(calls                           ? "tool_calls"
                                                 : reason == FinishReason::kStop ? "stop"
                                                                                 : "length",
                                                 index_));
  }
  owner_.on_choice_finish(reason, usage, reasoning_tokens_, index_);
}

void Choice::send_text(std::string_view text, std::string_view logprobs) {
  owner_.end_event(owner_.begin_event().text(text, index_, logprobs));
}

void Choice::on_content(std::string_view text) {
  send_text(text, {});
}

void Choice::on_reasoning(std::string_view text) {
  owner_.end_event(owner_.begin_event().reasoning(text, index_));
}

void Choice::on_tool_call(std::string_view name, std::string_view id) {
  const std::string own = id.empty() ? new_call_id() : std::string(id);
  const bp_tool_call call{sizeof(bp_tool_call), tool_calls_++, str(own), str(name)};
  owner_.end_event(owner_.begin_event().tool_call(call, {}, index_));
}

void Choice::on_arguments(std::string_view json) {
  const bp_tool_call call{sizeof(bp_tool_call), tool_calls_ - 1, {}, {}};
  owner_.end_event(owner_.begin_event().tool_call(call, json, index_));
}

std::string Choice::new_call_id() {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id = short_ids_ ? "" : "call_";
  const std::size_t size = short_ids_ ? kShortIdBytes : id.size() + kIdBytes;
  for (std::uint64_t bits = 0; id.size() < size; bits /= kDigits.size()) {
    if (bits < kDigits.size()) bits = owner_.next_id();
    id += kDigits[bits % kDigits.size()];
  }
  return id;
}

}  // namespace backplane::local
