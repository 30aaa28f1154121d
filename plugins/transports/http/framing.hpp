// SPDX-License-Identifier: Apache-2.0
// What an exchange needs of whoever frames it: a connection of HTTP/1.1 or a stream of HTTP/2.
// All [loop].
#pragma once

#include "chunk_buffer.hpp"
#include "response.hpp"

namespace backplane::http {

class Framing {
 public:
  // Each answers a BP_FLOW_*. What is borrowed is borrowed for the call. An empty body with a
  // length is that of a response to HEAD.
  virtual std::uint32_t send_whole(const ResponseHead& head, std::string_view body) = 0;
  // `head` is null after the first part; `last` completes the body.
  virtual std::uint32_t send_part(const ResponseHead* head, ChunkBuffer& part, bool last) = 0;
  virtual std::uint32_t flow() const = 0;

  // One of these follows what was sent last. The exchange is not touched any more until reset.
  virtual void on_complete() = 0;
  virtual void on_cut() = 0;  // the response must not look complete

  // Of what an upload holds; the sender may go on.
  virtual void on_upload_read(std::size_t bytes) = 0;

  // Around each event of a call: nothing is destroyed in between.
  virtual void enter() = 0;
  virtual void leave() = 0;

 protected:
  ~Framing() = default;
};

}  // namespace backplane::http
