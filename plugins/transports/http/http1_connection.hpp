// SPDX-License-Identifier: Apache-2.0
// One connection of HTTP/1.1: reads requests, one at a time, and frames their answers. Each
// connection begins as this and becomes HTTP/2's when it opens with that preface.
#pragma once

#include "connection.hpp"
#include "framing.hpp"
#include "http1_head.hpp"
#include "http1_request.hpp"
#include "loop_shared.hpp"
#include "pace.hpp"

namespace backplane::http {

class Http1Connection final : public Connection, private Framing {
 public:
  static void open(Server& server, std::shared_ptr<LoopShared> shared, bp_connection* connection);

  void drain() override;

 private:
  enum class State : std::uint8_t {
    kReading,  // a request, or waiting for one; also while its response is being made
    kClosing,  // what is left of the input does not matter
  };
  enum class Timer : std::uint8_t { kNone, kNew, kIdle, kHead, kBody };

  Http1Connection(Server& server, std::shared_ptr<LoopShared> shared, bp_connection* connection);
  ~Http1Connection() override;
  static const bp_connection_handler kHandler;
  template <class Body>
  static void guarded(void* context, Body&& body) noexcept;

  // The functions of bp_connection_handler.
  void on_data(std::string_view bytes);
  void on_end();
  void on_drained();
  void on_timeout();

  std::uint32_t send_whole(const ResponseHead& head, std::string_view body) override;
  std::uint32_t send_part(const ResponseHead* head, ChunkBuffer& part, bool last) override;
  std::uint32_t flow() const override { return blocked_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE; }
  void on_complete() override;
  void on_cut() override;
  void on_upload_read(std::size_t bytes) override;
  void enter() override {}
  void leave() override;

  bool idle() const;
  // Input goes to the parser.
  bool reads() const { return state_ == State::kReading && (uploading_ || !busy()); }
  bool running() const { return request_ != nullptr && request_->exchange.running(); }
  bool busy() const { return blocked_ || running(); }
  bool keep_alive() const;
  void decide(std::string_view bytes);
  void decide_for_http1();
  void process(std::string_view input);
  bool advance(std::string_view& input);
  void on_request_head();
  void begin_upload();
  void on_request_end();
  void end_response();
  void go_on();
  void hold_back(std::string_view input);
  void arm_timer(std::size_t fed);
  void arm_body_timer(std::size_t fed);
  void set_timer(Timer timer, std::uint64_t timeout_ms);
  Timer due_timer() const;

  void refuse(const Error& error);  // and close: the input cannot be followed any more
  std::string_view head_text(const ResponseHead& head, BodyFraming framing);
  std::uint32_t write(std::string_view first, std::string_view second);
  void close();
  void cut();

  Server& server_;
  std::shared_ptr<LoopShared> shared_;  // with the server, which may go first
  bp_connection* connection_;
  std::unique_ptr<Http1Request> request_;  // null: nothing of one has come
  std::string pending_;                    // input that came while busy
  State state_ = State::kReading;
  Timer timer_ = Timer::kNone;
  Pace body_pace_;
  bool undecided_;             // it may yet be HTTP/2; what has come is pending
  bool blocked_ = false;       // the client does not read
  bool paused_ = false;        // the host delivers nothing
  bool peer_ended_ = false;    // the client sends no more
  bool closes_after_ = false;  // the response at hand is the last
  bool answered_ = false;      // the response is complete, the request still there
  bool head_sent_ = false;     // of the response at hand
  bool streams_ = false;       // the request at hand is a form that is handed on as it comes
  bool uploading_ = false;     // ... and has been begun, and is not complete
  bool processing_ = false;    // the input is being read
  bool served_ = false;        // at least one response
};

}  // namespace backplane::http
