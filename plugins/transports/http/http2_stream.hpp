// SPDX-License-Identifier: Apache-2.0
// One stream of HTTP/2: one exchange, its body, and what its window has not let through yet.
#pragma once

#include "body_buffer.hpp"
#include "exchange.hpp"
#include "http2_head.hpp"
#include "pace.hpp"

namespace backplane::http {

class Http2Connection;

class Http2Stream final : private Framing {
 public:
  Http2Stream(Server& server, LoopShared& shared);

  void open(Http2Connection& connection, std::int32_t id);
  void reset();  // to be opened anew

  std::int32_t id() const { return id_; }
  std::size_t place() const { return place_; }
  void set_place(std::size_t place) { place_ = place; }
  bool closed() const { return closed_; }

  // What nghttp2 tells.
  Http2RequestHead& head() { return head_; }
  void on_head(bool ended);
  void on_data(std::string_view bytes);
  void on_request_end();
  void on_response_sent();
  void on_close();

  // What it asks: how much of the response may follow (an nghttp2 code or a number), and to send
  // so much of it.
  ssize_t offer(std::size_t room, std::uint32_t& flags);
  std::string_view output() const;
  void take_output(std::size_t bytes);

  // There is room again.
  void resume() { exchange_.resume(); }
  // 0: nothing is awaited.
  std::int64_t deadline_ns() const;
  void on_late();

 private:
  enum class Body : std::uint8_t { kNone, kGather, kStream, kDrop };

  std::uint32_t send_whole(const ResponseHead& head, std::string_view body) override;
  std::uint32_t send_part(const ResponseHead* head, ChunkBuffer& part, bool last) override;
  std::uint32_t flow() const override { return paused_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE; }
  void on_complete() override;
  void on_cut() override;
  void on_upload_read(std::size_t bytes) override;
  void enter() override;
  void leave() override;

  void send_head(const ResponseHead& head, bool has_body);
  std::uint32_t send(std::string_view bytes, bool last);
  void refuse(const Error& error);
  void give_up();
  PaceLimits body_limits() const;
  PaceLimits write_limits() const;

  Server& server_;
  Http2Connection* connection_ = nullptr;
  std::int32_t id_ = 0;
  std::size_t place_ = 0;  // in its connection

  Exchange exchange_;
  Http2RequestHead head_;
  BodyBuffer body_;
  std::uint64_t body_bytes_ = 0;
  Pace body_pace_;

  std::string pending_;
  std::size_t pending_offset_ = 0;
  std::string_view borrowed_;  // of the event at hand
  Pace write_pace_;

  Body plan_ = Body::kNone;
  bool request_ended_ = false;
  bool answering_ = false;  // the head of the response is on its way
  bool last_ = false;       // nothing follows what is pending
  bool failed_ = false;     // ... and then the stream is reset
  bool paused_ = false;     // the call has been told to wait
  bool lingers_ = false;    // answered; what still comes is dropped, with bounds
  bool closed_ = false;
};

}  // namespace backplane::http
