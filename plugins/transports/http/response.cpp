// SPDX-License-Identifier: Apache-2.0
#include "response.hpp"

#include "json_text.hpp"
#include "token.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <array>

namespace backplane::http {
namespace {

constexpr std::size_t kMaxForeignBytes = 8192;  // name and value of one header

struct Status {
  std::uint32_t number;
  std::string_view reason;
};

constexpr Status kStatuses[] = {
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

constexpr std::array<std::string_view, 14> kOwnHeaders = {
    "connection",     "content-length",    "content-type",
    "date",           "keep-alive",        "te",
    "trailer",        "transfer-encoding", "upgrade",
    "x-request-id",   "retry-after",       "retry-after-ms",
    "x-should-retry", "proxy-connection"};

bool is_own(std::string_view name) {
  return std::any_of(kOwnHeaders.begin(), kOwnHeaders.end(),
                     [&](std::string_view own) { return same_token(own, name); });
}

}  // namespace

void append_head(std::string& out, const ResponseHead& head) {
  append_status_line(out, head.status);
  out += head.date;
  out += "x-request-id: ";
  out += head.request_id;
  out += "\r\ncontent-type: ";
  out += head.content_type;
  out += "\r\n";
  out += head.extra;
  if (head.framing == Framing::kChunked) out += "transfer-encoding: chunked\r\n";
  if (head.framing == Framing::kLength) {
    out += "content-length: ";
    append_number(out, head.length);
    out += "\r\n";
  }
  if (!head.keep_alive) out += "connection: close\r\n";
  out += "\r\n";
}

void append_foreign_header(std::string& lines, const bp_pair& header) {
  const std::string_view name = view(header.name);
  const std::string_view value = view(header.value);
  if (!is_token(name) || !is_field_value(value) || is_own(name)) return;
  if (name.size() + value.size() > kMaxForeignBytes) return;
  lines += name;
  lines += ": ";
  lines += value;
  lines += "\r\n";
}

}  // namespace backplane::http
