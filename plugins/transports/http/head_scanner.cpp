// SPDX-License-Identifier: Apache-2.0
#include "head_scanner.hpp"

#include "error_envelope.hpp"
#include "token.hpp"

#include <cstring>

namespace backplane::http {
namespace {

constexpr std::size_t kMaxRequestLineBytes = 8192;  // RFC 9112, 3 asks for 8000 at least
constexpr std::size_t kMaxLeadingBytes = 4;
constexpr std::size_t kEmptyLineBytes = 2;

}  // namespace

HeadScanner::Outcome HeadScanner::scan(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size() && !at_.complete) {
    const std::string_view rest = bytes.substr(consumed);
    if (at_.line_bytes == 0 && !starts_well(rest.front())) return Outcome::kRefused;
    const void* found = std::memchr(rest.data(), '\n', rest.size());
    const std::size_t taken =
        found == nullptr
            ? rest.size()
            : static_cast<std::size_t>(static_cast<const char*>(found) - rest.data()) + 1;
    if (!count(taken)) return Outcome::kRefused;
    consumed += taken;
    if (taken >= 2) at_.last = rest[taken - 2];
    if (found != nullptr && !close_line()) return Outcome::kRefused;
    at_.last = rest[taken - 1];
  }
  return at_.complete ? Outcome::kComplete : Outcome::kNeedMore;
}

bool HeadScanner::starts_well(char first) {
  if (at_.lines == 0 && first != '\r' && !is_token_character(first)) {
    return refuse(400, "INVALID_REQUEST", "this port speaks HTTP/1.1; the first byte does not");
  }
  if (first == ' ' || first == '\t') {
    return refuse(400, "INVALID_REQUEST", "a header is folded over two lines; send it in one");
  }
  return true;
}

bool HeadScanner::count(std::size_t taken) {
  at_.bytes += taken;
  at_.line_bytes += taken;
  if (at_.lines == 0 && at_.line_bytes > std::min(kMaxRequestLineBytes, limits_.max_bytes)) {
    return refuse(414, "URI_TOO_LONG", "the request line is too long");
  }
  if (at_.bytes > limits_.max_bytes) {
    return refuse(431, "HEADERS_TOO_LARGE", "the headers are too large");
  }
  return true;
}

bool HeadScanner::close_line() {
  if (at_.line_bytes < kEmptyLineBytes || at_.last != '\r') {
    return refuse(400, "INVALID_REQUEST", "a line ends in LF alone; end it in CR LF");
  }
  const bool empty = at_.line_bytes == kEmptyLineBytes;
  at_.line_bytes = 0;
  if (!empty) {
    if (at_.lines++ <= limits_.max_headers) return true;
    return refuse(431, "HEADERS_TOO_LARGE", "there are too many headers");
  }
  at_.complete = at_.lines != 0;
  if (at_.complete) return true;
  at_.leading_bytes += kEmptyLineBytes;
  if (at_.leading_bytes <= kMaxLeadingBytes) return true;
  return refuse(400, "INVALID_REQUEST", "there is no request line");
}

bool HeadScanner::refuse(std::uint32_t status, std::string_view code, const char* message) {
  error_ = protocol_error(status, code, message);
  return false;
}

}  // namespace backplane::http
