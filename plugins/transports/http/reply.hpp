// SPDX-License-Identifier: Apache-2.0
// The events of one call into one response: its head, and a stream of events, a whole document, or
// the bytes of a body.
#pragma once

#include "chunk_buffer.hpp"
#include "dialect.hpp"
#include "response.hpp"
#include "sse.hpp"

#include <backplane/plugin.hpp>

namespace backplane::http {

struct ReplyOptions {
  std::string_view operation;
  std::string_view request_id;
  std::string_view lines;  // headers, whole lines
  std::int64_t created_s = 0;
};

class Reply {
 public:
  enum class Step {
    kMore,  // the response goes on
    kDone,  // it is complete
    kCut,   // it has failed midway: it must end without the body's end
  };

  // What is to be sent now, head first; valid until the next event. The date is left open.
  struct Output {
    ResponseHead* head = nullptr;  // null: sent before, or not due yet
    std::string_view whole;        // the body of a response of known length
    ChunkBuffer* part = nullptr;   // more of the body of a streamed one
  };

  void start(const ReplyOptions& options);
  Step on_event(const bp_event& event, Output& out);
  bool head_sent() const { return head_sent_; }

 private:
  enum class Mode { kNone, kEvents, kText, kHeldBody, kBody };

  Step on_head(const bp_event& event);
  Step on_text(const bp_event& event, Output& out);
  Step on_reasoning(const bp_event& event, Output& out);
  Step on_tool_call(const bp_event& event, Output& out);
  Step on_finish(const bp_event& event, Output& out);
  Step on_chunk(const bp_event& event, Output& out);
  Step on_body(const bp_event& event, Output& out);
  Step on_usage(const bp_event& event);
  Step on_end(const bp_event& event, Output& out);
  Step on_error(const bp_event& event, Output& out);

  bool streams() const { return (flags_ & BP_REQUEST_STREAM) != 0; }
  bool enter(Mode mode);
  Choice* choice_of(std::uint32_t index);
  Choice* chat_choice_of(std::uint32_t index);
  void start_dialect();
  void open_stream(std::string_view content_type, Output& out);
  Step gather(const bp_event& event, Choice& choice, Output& out);
  void open_choice(std::uint32_t index, Choice& choice, bool with_content = true);
  void end_choices();
  Step end_document(Output& out);
  Step fail(const Error& error, Output& out);
  Step whole(std::uint32_t status, std::string_view content_type, std::string_view body,
             Output& out);
  void send_part(Output& out) { out.part = &chunk_; }
  void open_head(const ResponseHead& head, Output& out);

  DialectKind kind_ = DialectKind::kChat;
  bool renders_text_ = false;
  std::int64_t created_s_ = 0;
  std::string request_id_;

  std::uint32_t flags_ = 0;
  Mode mode_ = Mode::kNone;
  bool head_sent_ = false;
  std::string extra_;  // header lines of the host
  std::string model_;  // its public name
  Dialect dialect_;    // started with the first choice
  std::vector<Choice> choices_;
  std::size_t text_bytes_ = 0;
  bp_usage usage_{};
  bool has_usage_ = false;

  ResponseHead head_;
  std::string body_;  // held body, document or envelope
  std::string media_type_;
  ChunkBuffer chunk_;
};

}  // namespace backplane::http
