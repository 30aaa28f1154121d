// SPDX-License-Identifier: Apache-2.0
// The heads of HTTP/2 (RFC 9113, 8.3): a request's fields as they come, a response's as fields.
#pragma once

#include "request_head.hpp"
#include "response.hpp"

#include <nghttp2/nghttp2.h>

#include <string>
#include <vector>

namespace backplane::http {

struct Http2HeadLimits {
  std::size_t max_bytes;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts them
  std::size_t max_headers;
};

// Gathers one request's fields. What the grammar forbids has been refused by nghttp2.
class Http2RequestHead {
 public:
  enum class Outcome { kTaken, kFlood };

  Http2RequestHead() = default;
  Http2RequestHead(const Http2RequestHead&) = delete;
  Http2RequestHead& operator=(const Http2RequestHead&) = delete;
  ~Http2RequestHead() { reset(); }

  // kFlood: so much that the connection must go. Fields of a trailer are counted alone.
  Outcome take(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const Http2HeadLimits& limits);
  void close() { closed_ = true; }

  // After the last field of the head.
  bool malformed() const;
  const std::optional<Error>& refusal() const { return refusal_; }
  RequestHead& head() { return head_; }
  void reset();

 private:
  void take_pseudo(std::string_view name, std::string_view value);

  RequestHead head_;
  std::string_view authority_;
  std::string_view host_;
  std::optional<Error> refusal_;
  std::vector<nghttp2_rcbuf*> values_;  // held
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  bool closed_ = false;
};

// The fields of a response; they borrow from `head` and `scratch`.
void append_fields(std::vector<nghttp2_nv>& fields, std::string& scratch, const ResponseHead& head);

}  // namespace backplane::http
