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

void HeadScanner::reset() {
  *this = HeadScanner(limits_);
}

HeadScanner::Outcome HeadScanner::scan(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size() && !complete_) {
    const std::string_view rest = bytes.substr(consumed);
    if (line_bytes_ == 0 && !starts_well(rest.front())) return Outcome::kRefused;
    const void* found = std::memchr(rest.data(), '\n', rest.size());
    const std::size_t taken =
        found == nullptr
            ? rest.size()
            : static_cast<std::size_t>(static_cast<const char*>(found) - rest.data()) + 1;
    if (!count(taken)) return Outcome::kRefused;
    consumed += taken;
    if (taken >= 2) last_ = rest[taken - 2];
    if (found != nullptr && !close_line()) return Outcome::kRefused;
    last_ = rest[taken - 1];
  }
  return complete_ ? Outcome::kComplete : Outcome::kNeedMore;
}

bool HeadScanner::starts_well(char first) {
  if (lines_ == 0 && first != '\r' && !is_token_character(first)) {
    return refuse(400, "INVALID_REQUEST", "this port speaks HTTP/1.1; the first byte does not");
  }
  if (first == ' ' || first == '\t') {
    return refuse(400, "INVALID_REQUEST", "a header is folded over two lines; send it in one");
  }
  return true;
}

bool HeadScanner::count(std::size_t taken) {
  bytes_ += taken;
  line_bytes_ += taken;
  if (lines_ == 0 && line_bytes_ > std::min(kMaxRequestLineBytes, limits_.max_bytes)) {
    return refuse(414, "URI_TOO_LONG", "the request line is too long");
  }
  if (bytes_ > limits_.max_bytes) {
    return refuse(431, "HEADERS_TOO_LARGE", "the headers are too large");
  }
  return true;
}

bool HeadScanner::close_line() {
  if (line_bytes_ < kEmptyLineBytes || last_ != '\r') {
    return refuse(400, "INVALID_REQUEST", "a line ends in LF alone; end it in CR LF");
  }
  const bool empty = line_bytes_ == kEmptyLineBytes;
  line_bytes_ = 0;
  if (!empty) {
    if (lines_++ <= limits_.max_headers) return true;
    return refuse(431, "HEADERS_TOO_LARGE", "there are too many headers");
  }
  complete_ = lines_ != 0;
  if (complete_) return true;
  leading_bytes_ += kEmptyLineBytes;
  if (leading_bytes_ <= kMaxLeadingBytes) return true;
  return refuse(400, "INVALID_REQUEST", "there is no request line");
}

bool HeadScanner::refuse(std::uint32_t status, std::string_view code, const char* message) {
  error_ = protocol_error(status, code, message);
  return false;
}

}  // namespace backplane::http
