// SPDX-License-Identifier: Apache-2.0
// One choice of a call: hears its generation and tells the call's receiver what came out. The
// engine's thread only.
#pragma once

#include <backplane/plugin.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/backends/local/engine/stream_listener.hpp"
#include "plugins/backends/local/output/output_parser.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

// What choices share of their call.
class ChoiceOwner {
 public:
  virtual ~ChoiceOwner() = default;
  virtual EventWriter& begin_event() = 0;
  virtual void end_event(std::uint32_t flow) = 0;
  // Random, and new each time.
  virtual std::uint64_t next_id() = 0;
  // The choice is over; nothing of it is touched afterwards.
  virtual void on_choice_finish(FinishReason reason, const Usage& usage,
                                std::uint32_t reasoning_tokens, std::uint32_t index) = 0;
  virtual void on_choice_error(const Error& error) = 0;
};

class Choice final : public StreamListener, private OutputListener {
 public:
  // Owner and tokenizer outlive it. Without a format what comes is text.
  Choice(ChoiceOwner& owner, const Tokenizer& tokenizer, std::uint32_t index);
  void read_as(const OutputFormat& format, bool begins_thinking);

  void on_piece(const Piece& piece) override;
  void on_finish(FinishReason reason, const Usage& usage) override;
  void on_error(const Error& error) override { owner_.on_choice_error(error); }

 private:
  void on_content(std::string_view text) override;
  void on_reasoning(std::string_view text) override;
  void on_tool_call(std::string_view name, std::string_view id) override;
  void on_arguments(std::string_view json) override;
  void send_text(std::string_view text, std::string_view logprobs);
  std::string new_call_id();

  ChoiceOwner& owner_;
  const Tokenizer& tokenizer_;
  const std::uint32_t index_;
  std::optional<OutputParser> parser_;
  bool short_ids_ = false;
  std::uint32_t tool_calls_ = 0;
  std::uint32_t reasoning_tokens_ = 0;
  std::string logprobs_;
};

}  // namespace backplane::local
