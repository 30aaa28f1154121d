// SPDX-License-Identifier: Apache-2.0
#include "http2_head.hpp"

#include "error_envelope.hpp"
#include "json_text.hpp"
#include "request_syntax.hpp"
#include "token.hpp"

#include <charconv>

namespace backplane::http {
namespace {

constexpr std::size_t kBytesPerField = 32;  // RFC 9113, 6.5.2
constexpr std::size_t kFloodFactor = 8;     // times the limit: the connection goes
constexpr std::size_t kMaxPathBytes = 8192;
constexpr std::size_t kStatusDigits = 3;
constexpr std::size_t kLengthDigits = 20;

std::string_view text_of(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

nghttp2_nv field_of(std::string_view name, std::string_view value,
                    std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// `lines` are "name: value\r\n" each; the names become lower case, as HTTP/2 wants them.
void append_lines(std::vector<nghttp2_nv>& fields, char* lines, std::size_t size) {
  const std::string_view text(lines, size);
  for (std::size_t at = 0; at < size;) {
    const std::size_t colon = text.find(": ", at);
    const std::size_t end = text.find("\r\n", colon);
    for (std::size_t i = at; i < colon; ++i) lines[i] = lower(lines[i]);
    fields.push_back(
        field_of(text.substr(at, colon - at), text.substr(colon + 2, end - colon - 2)));
    at = end + 2;
  }
}

}  // namespace

Http2RequestHead::Outcome Http2RequestHead::take(nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                                                 const Http2HeadLimits& limits) {
  const std::string_view key = text_of(name);
  const std::string_view text = text_of(value);
  bytes_ += key.size() + text.size() + kBytesPerField;
  ++fields_;
  if (bytes_ > kFloodFactor * limits.max_bytes) return Outcome::kFlood;
  if (closed_ || refusal_) return Outcome::kTaken;
  if (bytes_ > limits.max_bytes || fields_ > limits.max_headers) {
    refusal_ = protocol_error(431, "HEADERS_TOO_LARGE", "the headers are too large or too many");
    return Outcome::kTaken;
  }
  nghttp2_rcbuf_incref(value);
  values_.push_back(value);
  if (key.front() == ':') {
    take_pseudo(key, text);
  } else if (key == "host") {
    host_ = text;
  } else if (key == "content-length") {
    std::from_chars(text.data(), text.data() + text.size(), head_.content_length);
  } else {
    refusal_ = take_field(head_, key, text);
  }
  return Outcome::kTaken;
}

void Http2RequestHead::take_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") head_.method = value;
  if (name == ":authority") authority_ = value;
  if (name == ":path") head_.target = value;
  if (name == ":path" && value.size() > kMaxPathBytes) {
    refusal_ = protocol_error(414, "URI_TOO_LONG", "the path is too long");
  }
}

bool Http2RequestHead::malformed() const {
  if (!is_target(head_.target) || !is_host(authority_) || !is_host(host_)) return true;
  return !authority_.empty() && !host_.empty() &&
         !std::equal(authority_.begin(), authority_.end(), host_.begin(), host_.end(),
                     [](char a, char b) { return lower(a) == lower(b); });
}

void Http2RequestHead::reset() {
  for (nghttp2_rcbuf* value : values_) nghttp2_rcbuf_decref(value);
  values_.clear();
  std::vector<bp_pair> metadata = std::move(head_.metadata);
  metadata.clear();
  head_ = RequestHead();
  head_.metadata = std::move(metadata);
  authority_ = host_ = {};
  refusal_.reset();
  bytes_ = fields_ = 0;
  closed_ = false;
}

void append_fields(std::vector<nghttp2_nv>& fields, std::string& scratch,
                   const ResponseHead& head) {
  scratch.reserve(head.date.size() + head.extra.size() + kStatusDigits + kLengthDigits);
  append_number(scratch, head.status);
  fields.push_back(field_of(":status", {scratch.data(), kStatusDigits}));
  const std::size_t lines = scratch.size();
  scratch += head.date;
  scratch += head.extra;
  append_lines(fields, scratch.data() + lines, scratch.size() - lines);
  fields.push_back(field_of("x-request-id", head.request_id, NGHTTP2_NV_FLAG_NO_INDEX));
  if (!head.content_type.empty()) fields.push_back(field_of("content-type", head.content_type));
  if (head.length == BP_SIZE_UNKNOWN) return;
  const std::size_t length = scratch.size();
  append_number(scratch, head.length);
  fields.push_back(field_of("content-length", std::string_view(scratch).substr(length),
                            NGHTTP2_NV_FLAG_NO_INDEX));
}

}  // namespace backplane::http
