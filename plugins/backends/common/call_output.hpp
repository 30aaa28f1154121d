// SPDX-License-Identifier: Apache-2.0
// The events of one call: numbered, held while the receiver pauses, and one terminal event with the
// usage before it. [loop]
#pragma once

#include "common/answer_witness.hpp"
#include "common/upstream.hpp"

#include <backplane/plugin.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace backplane::dialect {

class CallOutput {
 public:
  // Both are borrowed until the terminal event.
  CallOutput(const Upstream& upstream, const bp_request& request, const bp_sink& sink);

  // With a witness, before its conclusion: cancel and conclude are all that is left.
  bool ended() const { return writer_.ended() || is_concluding_; }
  bool is_concluding() const { return is_concluding_ && !writer_.ended(); }
  // Nothing but an end is to be written until resume.
  bool paused() const { return paused_; }
  void resume() { paused_ = false; }
  // It ended well: what the server still sends may be read to its end.
  bool succeeded() const { return succeeded_; }

  // Before all else; borrowed until the terminal event.
  void set_witness(AnswerWitness* witness) { witness_ = witness; }
  // Of the response's headers, for the event that carries them: HEAD, or ERROR.
  void set_rate_limit(const std::optional<bp_rate_limit>& limit) { rate_limit_ = limit; }
  // The first event; nothing is sent where there is nothing to say.
  void head(std::span<const bp_pair> headers);
  // A receiver that wants no more ends the call.
  void chunk(std::string_view document, std::string_view name);
  void body(std::string_view bytes, std::string_view media_type);
  void set_usage(const bp_usage& usage) { usage_ = usage; }

  void succeed(std::string_view closing_document = {});
  // After a success that has a witness.
  void conclude(const AnswerWitness::Conclusion& conclusion);
  // Without effect after the end.
  void fail(Error error);
  // As fail, in the server's words, without what they must not tell.
  void fail_with(std::string_view document);
  // Once a call: the server sent something that is no document.
  void note_malformed();

 private:
  void answer(std::uint32_t flow);
  void write_usage();

  const Upstream* upstream_;
  EventWriter writer_;
  const bool may_overrun_;
  const std::string id_;
  bool paused_ = false;
  bool succeeded_ = false;
  AnswerWitness* witness_ = nullptr;
  bool is_concluding_ = false;
  std::string closing_document_;  // of an end that waits for its conclusion
  bool malformed_noted_ = false;
  std::optional<bp_usage> usage_;
  std::optional<bp_rate_limit> rate_limit_;
};

}  // namespace backplane::dialect
