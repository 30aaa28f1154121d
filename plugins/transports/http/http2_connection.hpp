// SPDX-License-Identifier: Apache-2.0
// One connection of HTTP/2: an nghttp2 session between the host's bytes and the streams.
#pragma once

#include "connection.hpp"
#include "flood_guard.hpp"
#include "http2_stream.hpp"
#include "loop_shared.hpp"

namespace backplane::http {

// RFC 9113, 3.4: what a client's connection begins with.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class Http2Connection final : public Connection {
 public:
  // Takes over a connection; `input` begins with the preface.
  static void open(Server& server, std::shared_ptr<LoopShared> shared, bp_connection* connection,
                   std::string_view input);

  void drain() override;

  // For its streams.
  bp_connection* host_connection() const { return connection_; }
  std::int64_t now_ns() const;
  void submit_head(std::int32_t stream, const ResponseHead& head, bool has_body);
  void submit_continue(std::int32_t stream);
  void send(std::int32_t stream);  // it has output
  void reset_stream(std::int32_t stream, std::uint32_t code);
  // The window opens again: the connection's, and with `all` the stream's.
  void consume(std::int32_t stream, std::size_t bytes, bool all);
  void open_window(std::int32_t stream,
                   std::size_t bytes);  // of the stream alone; destroys nothing
  void resume_soon(Http2Stream& stream) { to_resume_.push_back(&stream); }
  void expect(std::int64_t deadline_ns);  // on_late of somebody is due then
  void enter() { ++depth_; }
  void leave();

 private:
  friend struct Http2Callbacks;
  struct DeleteSession {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  Http2Connection(Server& server, std::shared_ptr<LoopShared> shared, bp_connection* connection);
  ~Http2Connection() override;
  static const bp_connection_handler kHandler;
  template <class Body>
  static void guarded(void* context, Body&& body) noexcept;
  bool start_session();

  // The functions of bp_connection_handler.
  void on_data(std::string_view bytes);
  void on_end();
  void on_drained();
  void on_timeout();

  // What nghttp2 tells.
  void on_frame_header(const nghttp2_frame_hd& header);
  void on_begin_head(const nghttp2_frame& frame);
  bool on_field(const nghttp2_frame& frame, nghttp2_rcbuf* name, nghttp2_rcbuf* value);
  void on_frame(const nghttp2_frame& frame);
  void on_frame_sent(const nghttp2_frame& frame);
  void on_stream_close(Http2Stream& stream);
  Http2Stream* stream_of(std::int32_t id) const;

  void flush();
  void send_pending();
  bool write(const bp_str* pieces, std::uint64_t count);
  void resume_streams();
  void finish_session();
  void bury();
  void terminate(std::uint32_t code);
  void calm(FloodGuard& guard);
  void note_progress();
  void release_all();
  void close();
  void cut();

  Server& server_;
  std::shared_ptr<LoopShared> shared_;  // with the server, which may go first
  bp_connection* connection_;
  std::unique_ptr<nghttp2_session, DeleteSession> session_;
  std::vector<std::unique_ptr<Http2Stream>> streams_;  // each knows its place
  std::vector<std::unique_ptr<Http2Stream>> closed_streams_;
  std::vector<Http2Stream*> to_resume_;

  FloodGuard resets_;  // streams given up
  FloodGuard idle_frames_;
  std::int64_t armed_ns_ = 0;       // 0: no timeout
  std::int64_t idle_until_ns_ = 0;  // where there are no streams
  std::int64_t head_until_ns_ = 0;  // 0: no head is incomplete
  std::int32_t open_head_ = 0;      // the stream whose head is incomplete
  int depth_ = 0;
  bool in_session_ = false;
  bool blocked_ = false;  // the client does not read
  bool closing_ = false;
};

}  // namespace backplane::http
