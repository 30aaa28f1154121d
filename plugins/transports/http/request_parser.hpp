// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection into requests, strictly (RFC 9112): what two readers could read in two ways
// is refused. One request at a time; bytes of the next are left with the caller.
#pragma once

#include "head_scanner.hpp"

#include <backplane/plugin.hpp>

#include <vector>

namespace backplane::http {

struct RequestLimits {
  HeadLimits head;
  std::uint64_t max_body_bytes;
};

// Views stay valid until the parser's reset.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view content_type;
  std::string_view request_id;
  std::string_view expect;
  std::vector<bp_pair> metadata;  // the headers a call takes along
  bool http_11 = true;
  bool keep_alive = true;
  bool has_body = false;
};

class RequestParser {
 public:
  // kHead and kDone come once a request, in this order; after kRefused the connection is lost.
  enum class Progress { kNeedMore, kHead, kDone, kRefused };

  explicit RequestParser(const RequestLimits& limits);
  ~RequestParser();

  // Takes what belongs to the request off the front of `input`.
  Progress feed(std::string_view& input);

  const RequestHead& head() const;
  BufferRef take_body();
  const Error& error() const;  // of kRefused

  void skip_body();   // after kHead: read it, keep nothing
  bool idle() const;  // nothing of a request has come
  bool in_head() const;
  void reset();  // after kDone: the next request

 private:
  class Message;
  std::unique_ptr<Message> message_;
};

}  // namespace backplane::http
