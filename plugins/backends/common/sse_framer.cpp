// SPDX-License-Identifier: Apache-2.0
#include "common/sse_framer.hpp"

#include <cstring>

namespace backplane::dialect {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::size_t find_byte(std::string_view text, char byte) {
  if (text.empty()) return std::string_view::npos;
  const void* at = std::memchr(text.data(), byte, text.size());
  return at == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

}  // namespace

std::optional<SseEvent> SseFramer::next() {
  if (given_) begin_event();
  while (!overflowed_) {
    const std::optional<std::string_view> line = next_line();
    if (!line) break;
    if (line->empty()) {
      if (std::optional<SseEvent> event = give_event()) return event;
      begin_event();
    } else {
      read_line(*line);
    }
    if (line_kept_) partial_line_.clear();
  }
  if (!overflowed_) own_data();
  return std::nullopt;
}

std::optional<SseEvent> SseFramer::finish() {
  if (given_) begin_event();
  if (!overflowed_ && !partial_line_.empty()) {
    line_kept_ = true;
    read_line(partial_line_);
    partial_line_.clear();
  }
  if (overflowed_) return std::nullopt;
  return give_event();
}

// The next line without its end, or nothing after the rest of the input was put aside.
std::optional<std::string_view> SseFramer::next_line() {
  if (skip_lf_ && !input_.empty()) {
    if (input_.front() == '\n') input_.remove_prefix(1);
    skip_lf_ = false;
  }
  const std::size_t lf = find_byte(input_, '\n');
  const std::size_t cr = find_byte(input_.substr(0, lf), '\r');
  const std::size_t end = cr == std::string_view::npos ? lf : cr;
  if (end == std::string_view::npos) {
    keep_partial_line();
    return std::nullopt;
  }
  const bool is_crlf = cr != std::string_view::npos && cr + 1 == lf;
  skip_lf_ = cr != std::string_view::npos && cr + 1 == input_.size();
  const std::string_view line = take_line(end, end + (is_crlf ? 2 : 1));
  if (line.size() > max_bytes_) {
    overflow();
    return std::nullopt;
  }
  return line;
}

std::string_view SseFramer::take_line(std::size_t length, std::size_t with_end) {
  std::string_view line = input_.substr(0, length);
  input_.remove_prefix(with_end);
  line_kept_ = !partial_line_.empty();
  if (line_kept_) {
    partial_line_.append(line);
    line = partial_line_;
  }
  if (at_start_ && line.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    line.remove_prefix(kByteOrderMark.size());
  }
  at_start_ = false;
  return line;
}

void SseFramer::keep_partial_line() {
  partial_line_.append(input_);
  input_ = {};
  if (partial_line_.size() > max_bytes_) overflow();
}

void SseFramer::read_line(std::string_view line) {
  const std::size_t colon = find_byte(line, ':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) value = line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "data") {
    add_data(value);
  } else if (field == "event") {
    name_.assign(value);
    is_error_ = value == "error";
  } else if (field == "error") {
    is_error_ = true;
    add_data(value);
  }
}

void SseFramer::add_data(std::string_view value) {
  if (has_data_) {
    own_data();
    owned_.push_back('\n');
    owned_.append(value);
  } else if (line_kept_) {
    owned_.assign(value);
    is_owned_ = true;
  } else {
    borrowed_ = value;
    is_owned_ = false;
  }
  has_data_ = true;
  if ((is_owned_ ? owned_.size() : borrowed_.size()) > max_bytes_) overflow();
}

void SseFramer::own_data() {
  if (!has_data_ || is_owned_) return;
  owned_.assign(borrowed_);
  is_owned_ = true;
}

void SseFramer::begin_event() {
  has_data_ = false;
  name_.clear();
  is_error_ = false;
  given_ = false;
}

std::optional<SseEvent> SseFramer::give_event() {
  if (!has_data_) return std::nullopt;
  given_ = true;
  return SseEvent{is_owned_ ? std::string_view(owned_) : borrowed_, name_, is_error_};
}

void SseFramer::overflow() {
  overflowed_ = true;
  input_ = {};
  partial_line_ = {};
  owned_ = {};
}

}  // namespace backplane::dialect
