// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection into requests, strictly (RFC 9112): what two readers could read in two ways
// is refused. One request at a time; bytes of the next are left with the caller.
#pragma once

#include "body_budget.hpp"
#include "head_scanner.hpp"
#include "request_head.hpp"

#include <backplane/plugin.hpp>

namespace backplane::http {

struct RequestLimits {
  HeadLimits head;
  std::uint64_t max_body_bytes;
};

// How its message is framed.
struct MessageFraming {
  bool http_11 = true;
  bool keep_alive = true;
};

class RequestParser {
 public:
  // kHead and kDone come once a request, in this order; after kRefused the connection is lost.
  enum class Progress { kNeedMore, kHead, kDone, kRefused };

  // `bodies`: see BodyBuffer.
  explicit RequestParser(const RequestLimits& limits, std::shared_ptr<BodyBudget> bodies = nullptr);
  ~RequestParser();

  // Takes what belongs to the request off the front of `input`.
  Progress feed(std::string_view& input);

  // Both stay valid until reset.
  const RequestHead& head() const;
  const MessageFraming& framing() const;
  BufferRef take_body();
  const Error& error() const;  // of kRefused

  void skip_body();                    // after kHead: read it, keep nothing
  void send_body_to(std::string& to);  // likewise; it is appended as it comes
  bool idle() const;                   // nothing of a request has come
  bool in_head() const;
  void reset();  // after kDone: the next request

 private:
  class Message;
  std::unique_ptr<Message> message_;
};

}  // namespace backplane::http
