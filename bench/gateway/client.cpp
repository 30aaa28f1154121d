// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "http_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace backplane::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kGood = "HTTP/1.1 200";

}  // namespace

Client::Client(std::uint16_t port, std::string_view request, Record& record)
    : socket_(connect_to_loopback(port)), request_(request), record_(record) {}

Client::~Client() {
  close(socket_);
}

void Client::start() {
  state_ = State::kHead;
  has_frame_ = false;
  unsent_ = request_;
  begun_ns_ = now_ns();
  send_rest();
}

void Client::on_ready() {
  if (state_ == State::kBroken) return;
  if (!unsent_.empty()) send_rest();
  read_all();
}

void Client::send_rest() {
  while (!unsent_.empty()) {
    const Transfer put = transmit(socket_, unsent_);
    if (put.ended) return lose();
    if (put.bytes == 0) return;
    unsent_.remove_prefix(put.bytes);
  }
}

void Client::read_all() {
  char buffer[kReadBytes];
  while (state_ != State::kBroken) {
    const Transfer got = receive(socket_, buffer, sizeof(buffer));
    if (got.ended) return lose();
    if (got.bytes == 0) return;
    take({buffer, got.bytes});
  }
}

void Client::take(std::string_view bytes) {
  input_ += bytes;
  rest_ = input_;
  while (step()) {
  }
  input_.erase(0, input_.size() - rest_.size());
}

bool Client::step() {
  switch (state_) {
    case State::kHead:
      return read_head();
    case State::kBody:
      return read_body(State::kIdle);
    case State::kChunkSize:
      return read_chunk_size();
    case State::kChunk:
      return read_body(last_chunk_ ? State::kIdle : State::kChunkSize);
    case State::kIdle:
      if (!rest_.empty()) lose();  // more than was asked for
      return false;
    case State::kBroken:
      return false;
  }
  return false;
}

bool Client::read_head() {
  const auto size = head_size(rest_);
  if (!size) return false;
  const std::string_view head = rest_.substr(0, *size);
  if (head.substr(0, kGood.size()) != kGood) ++record_.errors;
  left_ = content_length(head);
  state_ = header(head, "transfer-encoding") == "chunked" ? State::kChunkSize : State::kBody;
  rest_.remove_prefix(*size);
  return true;
}

bool Client::read_chunk_size() {
  const std::size_t end = rest_.find(kLineEnd);
  if (end == std::string_view::npos) return false;
  std::uint64_t size = 0;
  std::from_chars(rest_.data(), rest_.data() + end, size, 16);
  rest_.remove_prefix(end + kLineEnd.size());
  last_chunk_ = size == 0;
  left_ = size + kLineEnd.size();
  state_ = State::kChunk;
  return true;
}

bool Client::read_body(State next) {
  const std::size_t size = std::min<std::uint64_t>(left_, rest_.size());
  if (next != State::kIdle) count_frames(rest_.substr(0, size));
  rest_.remove_prefix(size);
  left_ -= size;
  if (left_ > 0) return false;
  state_ = next;
  if (next == State::kIdle) finish();
  return true;
}

// An event ends in an empty line; a chunk's own line end has a CR and is none.
void Client::count_frames(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) break;
    const bool empty_line = at == 0 ? after_line_ : text[at - 1] == '\n';
    if (!empty_line) continue;
    ++record_.frames;
    if (!has_frame_) record_.first_frames_ns.push_back(now_ns() - begun_ns_);
    has_frame_ = true;
  }
  if (!text.empty()) after_line_ = text.back() == '\n';
}

void Client::finish() {
  record_.latencies_ns.push_back(now_ns() - begun_ns_);
}

void Client::lose() {
  ++record_.errors;
  state_ = State::kBroken;
}

}  // namespace backplane::bench
