// SPDX-License-Identifier: Apache-2.0
// One request and its response: what it asks for, whether it may, the call it becomes, and the
// answer. Knows nothing of framing. All [loop].
#pragma once

#include "compression.hpp"
#include "framing.hpp"
#include "reply.hpp"
#include "request_head.hpp"
#include "routes.hpp"
#include "server.hpp"
#include "upload.hpp"

#include <optional>

namespace backplane::http {

class Exchange {
 public:
  // What becomes of the request's body.
  enum class Plan {
    kGather,   // to on_request
    kStream,   // its beginning to on_form, the rest to the upload; on_request where it is all there
    kSkip,     // read, kept nowhere; then on_request
    kRefused,  // as kSkip; or refuse_now, and the body does not matter
    kNoWay,    // refuse_now: nothing more of this peer can be trusted
  };

  Exchange(Server& server, LoopShared& shared);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  void start(Framing& framing, bp_connection* connection);
  // `head` stays valid until reset.
  Plan on_head(const RequestHead& head);
  void on_request(BufferRef body);
  void on_form(BufferRef beginning);
  Upload& upload() { return upload_; }
  std::size_t held_bytes() const { return upload_.held_bytes(); }
  void refuse_now();
  // An answer that the framing finds; the request may be incomplete.
  void answer_error(const Error& error, std::string_view given_id = {});

  bool running() const { return call_ != nullptr; }
  // on_request takes the body of a call alone.
  bool wants_body() const { return !refusal_ && is_call(); }
  void resume();   // the call: there is room again
  void release();  // the call: nobody waits for it
  void reset();    // to be started anew

 private:
  bool is_call() const {
    return route_.route != nullptr && route_.route->action == Action::kCall &&
           head_->method != "OPTIONS";
  }
  std::optional<Error> check() const;
  std::optional<Error> check_body() const;
  void choose_request_id(std::string_view given);
  void answer(BufferRef body);
  void answer_model(std::string_view encoded_id);
  void answer_metrics();
  void answer_receipt(std::string_view request_id);
  void answer_models();
  void answer_options();
  void begin_call(BufferRef body, const bp_body_stream* rest = nullptr);
  std::uint32_t on_event(const bp_event& event);

  void respond(std::uint32_t status, std::string_view content_type, std::string_view body,
               std::string_view extra = {});
  void respond_error(const Error& error);
  std::uint32_t send_whole(ResponseHead& head, std::string_view body, bool head_only);
  std::string_view compress(std::string_view body, Coding coding, std::string& lines);
  std::string_view date_line();

  Server& server_;
  LoopShared& shared_;
  Framing* framing_ = nullptr;
  bp_connection* connection_ = nullptr;
  const RequestHead* head_ = nullptr;  // null: none yet
  RouteMatch route_;
  std::optional<Error> refusal_;
  std::string request_id_;
  std::string lines_;  // headers that any answer has

  std::vector<bp_pair> metadata_;
  bp_sink sink_;
  bp_call* call_ = nullptr;
  Reply reply_;
  Upload upload_;
};

}  // namespace backplane::http
