// SPDX-License-Identifier: Apache-2.0
#include "http2_callbacks.hpp"

#include "http2_connection.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kFrameHeaderBytes = 9;
constexpr std::size_t kMaxOutboundAcks = 256;
constexpr std::size_t kMaxSettings = 32;

Http2Connection& connection_of(void* context) {
  return *static_cast<Http2Connection*>(context);
}

// No exception crosses nghttp2: out of memory ends the session.
template <class Body>
int guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

nghttp2_session_callbacks* make_callbacks() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, &Http2Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, &Http2Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback2(made, &Http2Callbacks::field);
  nghttp2_session_callbacks_set_on_invalid_header_callback2(made, &Http2Callbacks::invalid_field);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &Http2Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &Http2Callbacks::frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, &Http2Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &Http2Callbacks::stream_close);
  nghttp2_session_callbacks_set_send_data_callback(made, &Http2Callbacks::send_data);
  return made;
}

nghttp2_option* make_options() {
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) return nullptr;
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  nghttp2_option_set_max_outbound_ack(made, kMaxOutboundAcks);
  nghttp2_option_set_max_settings(made, kMaxSettings);
  nghttp2_option_set_stream_reset_rate_limit(made, UINT64_MAX, 0);  // FloodGuard counts
  return made;
}

}  // namespace

nghttp2_session* Http2Callbacks::open_session(Http2Connection& connection) {
  static nghttp2_session_callbacks* const callbacks = make_callbacks();
  static nghttp2_option* const options = make_options();
  if (callbacks == nullptr || options == nullptr) return nullptr;
  nghttp2_session* session = nullptr;
  return nghttp2_session_server_new2(&session, callbacks, &connection, options) == 0 ? session
                                                                                     : nullptr;
}

nghttp2_data_provider Http2Callbacks::provider(Http2Stream& stream) {
  nghttp2_data_provider made{};
  made.source.ptr = &stream;
  made.read_callback = &read;
  return made;
}

int Http2Callbacks::begin_frame(nghttp2_session*, const nghttp2_frame_hd* header,
                                void* connection) {
  return guarded([&] {
    connection_of(connection).on_frame_header(*header);
    return 0;
  });
}

int Http2Callbacks::begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
  return guarded([&] {
    connection_of(connection).on_begin_head(*frame);
    return 0;
  });
}

int Http2Callbacks::field(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                          nghttp2_rcbuf* value, std::uint8_t, void* connection) {
  return guarded([&]() -> int {
    const bool bounded = connection_of(connection).on_field(*frame, name, value);
    return bounded ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  });
}

// nghttp2 would leave these out in silence; the request is malformed (RFC 9113, 8.1.1).
int Http2Callbacks::invalid_field(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*,
                                  nghttp2_rcbuf*, std::uint8_t, void*) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Http2Callbacks::data(nghttp2_session*, std::uint8_t, std::int32_t stream,
                         const std::uint8_t* bytes, std::size_t size, void* connection) {
  return guarded([&] {
    Http2Stream* found = connection_of(connection).stream_of(stream);
    if (found != nullptr) found->on_data({reinterpret_cast<const char*>(bytes), size});
    return 0;
  });
}

int Http2Callbacks::frame(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
  return guarded([&] {
    connection_of(connection).on_frame(*frame);
    return 0;
  });
}

int Http2Callbacks::frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
  return guarded([&] {
    connection_of(connection).on_frame_sent(*frame);
    return 0;
  });
}

int Http2Callbacks::stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t,
                                 void* connection) {
  return guarded([&] {
    Http2Stream* found = connection_of(connection).stream_of(stream);
    if (found != nullptr) connection_of(connection).on_stream_close(*found);
    return 0;
  });
}

ssize_t Http2Callbacks::read(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source* source, void*) {
  return static_cast<Http2Stream*>(source->ptr)->offer(room, *flags);
}

int Http2Callbacks::send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header,
                              std::size_t size, nghttp2_data_source* source, void* connection) {
  return guarded([&]() -> int {
    auto& stream = *static_cast<Http2Stream*>(source->ptr);
    if (connection_of(connection).blocked_) return NGHTTP2_ERR_WOULDBLOCK;
    const bp_str pieces[] = {{reinterpret_cast<const char*>(header), kFrameHeaderBytes},
                             str(stream.output().substr(0, size))};
    if (!connection_of(connection).write(pieces, 2)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    stream.take_output(size);
    return 0;
  });
}

}  // namespace backplane::http
