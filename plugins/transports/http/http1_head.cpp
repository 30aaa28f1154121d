// SPDX-License-Identifier: Apache-2.0
#include "http1_head.hpp"

#include "json_text.hpp"

#include <algorithm>

namespace backplane::http {
namespace {

struct Status {
  std::uint32_t number;
  std::string_view reason;
};

constexpr Status kStatuses[] = {
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

std::string_view reason_of(std::uint32_t number) {
  const auto* found = std::find_if(std::begin(kStatuses), std::end(kStatuses),
                                   [&](const Status& status) { return status.number == number; });
  return found == std::end(kStatuses) ? "Error" : found->reason;
}

void append_status_line(std::string& out, std::uint32_t status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += reason_of(status);
  out += "\r\n";
}

}  // namespace

void append_http1_head(std::string& out, const ResponseHead& head, BodyFraming framing,
                       bool keep_alive) {
  append_status_line(out, head.status);
  out += head.date;
  out += "x-request-id: ";
  out += head.request_id;
  if (!head.content_type.empty()) {
    out += "\r\ncontent-type: ";
    out += head.content_type;
  }
  out += "\r\n";
  out += head.extra;
  if (framing == BodyFraming::kChunked) out += "transfer-encoding: chunked\r\n";
  if (framing == BodyFraming::kLength && head.length != BP_SIZE_UNKNOWN) {
    out += "content-length: ";
    append_number(out, head.length);
    out += "\r\n";
  }
  if (!keep_alive) out += "connection: close\r\n";
  out += "\r\n";
}

}  // namespace backplane::http
