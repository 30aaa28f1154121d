// SPDX-License-Identifier: Apache-2.0
// nghttp2's session of a server, wired to a connection.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>

namespace backplane::http {

class Http2Connection;
class Http2Stream;

struct Http2Callbacks {
  // Null: out of memory.
  static nghttp2_session* open_session(Http2Connection& connection);
  // Where the body of a response comes from.
  static nghttp2_data_provider provider(Http2Stream& stream);

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* header, void* connection);
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* connection);
  static int field(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                   nghttp2_rcbuf* value, std::uint8_t flags, void* connection);
  static int invalid_field(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*,
                           std::uint8_t, void*);
  static int data(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                  const std::uint8_t* bytes, std::size_t size, void* connection);
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* connection);
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* connection);
  static int stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t code,
                          void* connection);
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header,
                       std::size_t size, nghttp2_data_source* source, void* connection);
  static ssize_t read(nghttp2_session*, std::int32_t stream, std::uint8_t* to, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source* source, void* connection);
};

}  // namespace backplane::http
