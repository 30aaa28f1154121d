// SPDX-License-Identifier: Apache-2.0
// The events of one call: numbered, held while the receiver pauses, and one terminal event with the
// usage before it. [loop]
#pragma once

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

  bool ended() const { return writer_.ended(); }
  // Nothing but an end is to be written until resume.
  bool paused() const { return paused_; }
  void resume() { paused_ = false; }
  // It ended well: what the server still sends may be read to its end.
  bool succeeded() const { return succeeded_; }

  // Of the response's headers, for the event that carries them: HEAD, or ERROR.
  void set_rate_limit(const std::optional<bp_rate_limit>& limit) { rate_limit_ = limit; }
  // The first event; nothing is sent where there is nothing to say.
  void head(std::span<const bp_pair> headers);
  // A receiver that wants no more ends the call.
  void chunk(std::string_view document, std::string_view name);
  void body(std::string_view bytes, std::string_view media_type);
  void set_usage(const bp_usage& usage) { usage_ = usage; }

  void succeed(std::string_view closing_document = {});
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
  bool malformed_noted_ = false;
  std::optional<bp_usage> usage_;
  std::optional<bp_rate_limit> rate_limit_;
};

}  // namespace backplane::dialect
