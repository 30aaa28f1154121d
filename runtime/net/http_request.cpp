// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "runtime/net/http.hpp"

namespace backplane {

namespace {

constexpr std::size_t kMethodMaxBytes = 32;
constexpr std::array<std::string_view, 7> kOwnHeaders = {
    "host", "content-length", "connection", "transfer-encoding", "upgrade", "expect", "keep-alive"};

std::string_view view_of(const bp_str& text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool is_own_header(std::string_view name) {
  return std::any_of(kOwnHeaders.begin(), kOwnHeaders.end(), [&](std::string_view own) {
    return own.size() == name.size() &&
           std::equal(own.begin(), own.end(), name.begin(), [](char o, char n) {
             return o == (n >= 'A' && n <= 'Z' ? n + ('a' - 'A') : n);
           });
  });
}

// Three searches for a character are many times faster than one for a set.
bool is_field_value(std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  return text.find('\r') == kNone && text.find('\n') == kNone && text.find('\0') == kNone;
}

Status check_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) return invalid_argument("a request header has no valid name");
  if (is_own_header(name)) {
    return invalid_argument("the request header " + std::string(name) +
                            " is set by the HTTP client: leave it out");
  }
  if (!is_field_value(value)) {
    return invalid_argument("the request header " + std::string(name) +
                            " has a line break or a zero byte in its value");
  }
  return ok();
}

bool has_body(const bp_http_request& request, std::string_view method) {
  return request.body_count != 0 || request.body_stream != nullptr || method == "POST" ||
         method == "PUT" || method == "PATCH";
}

void append_number(std::string& text, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  text.append(digits, static_cast<std::size_t>(end - digits));
}

Status write_framing(const bp_http_request& request, std::string& head) {
  const bp_body_stream* stream = request.body_stream;
  if (stream != nullptr && stream->size == BP_SIZE_UNKNOWN) {
    head.append("Transfer-Encoding: chunked\r\n");
    return ok();
  }
  std::uint64_t size = size_of_body(request);
  if (stream != nullptr && __builtin_add_overflow(size, stream->size, &size)) {
    return invalid_argument("the request's body is longer than can be said");
  }
  head.append("Content-Length: ");
  append_number(head, size);
  head.append("\r\n");
  return ok();
}

}  // namespace

std::uint64_t size_of_body(const bp_http_request& request) {
  std::uint64_t size = 0;
  for (std::uint64_t index = 0; index < request.body_count; ++index)
    size += request.body[index].size;
  return size;
}

Status write_head(const bp_http_request& request, const Url& url, std::string& head) {
  const std::string_view method = view_of(request.method);
  if (!is_token(method) || method.size() > kMethodMaxBytes || method == "CONNECT") {
    return invalid_argument("the request's method is not one that can be sent");
  }
  head.assign(method).append(" ");
  if (!url.target.starts_with('/')) head.append("/");
  head.append(url.target).append(" HTTP/1.1\r\nHost: ").append(url.authority).append("\r\n");
  for (std::uint64_t index = 0; index < request.header_count; ++index) {
    const std::string_view name = view_of(request.headers[index].name);
    const std::string_view value = view_of(request.headers[index].value);
    const Status valid = check_header(name, value);
    if (!valid) return valid;
    head.append(name).append(": ").append(value).append("\r\n");
    if (head.size() > kRequestHeadMaxBytes) {
      return invalid_argument("the request's headers are longer than 64 KiB");
    }
  }
  if (has_body(request, method)) {
    const Status framed = write_framing(request, head);
    if (!framed) return framed;
  }
  head.append("\r\n");
  return ok();
}

}  // namespace backplane
