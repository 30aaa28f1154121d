// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_exchange.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "runtime/net/http.hpp"
#include "runtime/net/http_connection.hpp"
#include "runtime/net/http_loop.hpp"
#include "runtime/net/http_pool.hpp"
#include "runtime/net/http_request.hpp"

namespace backplane {

namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::size_t kPiecesPerCall = 64;
constexpr int kPartsPerTurn = 16;  // of a body on its way

std::int64_t in_ms(std::int64_t now_ns, std::uint32_t delay_ms) {
  return now_ns + delay_ms * kNanosecondsPerMillisecond;
}

std::string duration(std::uint32_t time_ms) {
  if (time_ms % 1000 == 0) return std::to_string(time_ms / 1000) + " s";
  return std::to_string(time_ms) + " ms";
}

iovec piece_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

std::uint32_t or_default(std::uint32_t value, std::uint32_t fallback) {
  return value == 0 ? fallback : value;
}

}  // namespace

void Exchange::begin(const bp_http_request& request, const bp_http_handler& new_handler,
                     void* new_context, HostPool& new_pool) {
  handler = &new_handler;
  context = new_context;
  pool = &new_pool;
  to_head =
      request.method.size == 4 && std::equal(request.method.data, request.method.data + 4, "HEAD");
  pieces_.push_back({head.data(), head.size()});
  add_body(request);
  connect_timeout_ms_ = or_default(request.connect_timeout_ms, kConnectTimeoutDefaultMs);
  first_byte_timeout_ms_ = or_default(request.first_byte_timeout_ms, kFirstByteTimeoutDefaultMs);
  idle_timeout_ms_ = or_default(request.idle_timeout_ms, kBodyIdleTimeoutDefaultMs);
  total_timeout_ms_ = request.total_timeout_ms;
  const std::int64_t now_ns = monotonic_ns();
  total_deadline_ns_ = total_timeout_ms_ == 0 ? INT64_MAX : in_ms(now_ns, total_timeout_ms_);
  connect_deadline_ns_ = in_ms(now_ns, connect_timeout_ms_);
}

void Exchange::add_body(const bp_http_request& request) {
  const bp_body_stream* stream = request.body_stream;
  const std::uint64_t size = size_of_body(request);
  const bool is_chunk = stream != nullptr && stream->size == BP_SIZE_UNKNOWN && size != 0;
  if (is_chunk) pieces_.push_back(piece_of(first_line_.write(size)));
  for (std::uint64_t index = 0; index < request.body_count; ++index) {
    const bp_str& piece = request.body[index];
    if (piece.size != 0) pieces_.push_back(piece_of({piece.data, piece.size}));
  }
  if (is_chunk) pieces_.push_back(piece_of("\r\n"));
  const auto ready = [](void* self) { static_cast<Exchange*>(self)->resume_sending(); };
  upload_.begin(stream, ready, this);
}

void Exchange::clear() {
  head.clear();
  upload_.stop();
  pieces_.clear();
  rewind();
  handler = nullptr;
  context = nullptr;
  pool = nullptr;
  connection = nullptr;
  retried = false;
  part_added_ = false;
}

void Exchange::resume() {
  if (phase != Phase::kPaused) return;
  enter(Phase::kBody);
  connection->resume();
}

void Exchange::cancel() {
  if (phase == Phase::kFailed) {
    http_.forget(*this);
  } else if (connection != nullptr) {
    connection->abandon();
  } else {
    pool->forget(*this);
  }
  http_.destroy(*this);
}

void Exchange::enter(Phase next) {
  phase = next;
  if (phase != Phase::kConnecting) return touch();
  http_.sweep().set(*this, std::min(connect_deadline_ns_, total_deadline_ns_));
}

void Exchange::touch() {
  const std::uint32_t limit_ms = timeout_ms();
  const std::int64_t deadline_ns =
      limit_ms == 0 ? INT64_MAX : in_ms(http_.loop().turn_time_ns(), limit_ms);
  const std::int64_t least_ns = std::min(deadline_ns, total_deadline_ns_);
  http_.sweep().set(*this, least_ns == INT64_MAX ? 0 : least_ns);
}

void Exchange::limit_attempt(std::size_t addresses) {
  const std::int64_t now_ns = http_.loop().turn_time_ns();
  const std::int64_t left_ns = std::max<std::int64_t>(connect_deadline_ns_ - now_ns, 0);
  const std::int64_t attempt_ns = now_ns + left_ns / static_cast<std::int64_t>(addresses);
  http_.sweep().set(*this, std::min(attempt_ns, total_deadline_ns_));
}

SendResult Exchange::send(Stream& stream) {
  SendResult sent{SendStatus::kDone};
  for (int parts = 0; parts < kPartsPerTurn; ++parts) {
    const Upload::Next next = next_part();
    if (next == Upload::Next::kBroken) return {SendStatus::kBroken, sent.moved};
    const IoResult result = send_pieces(stream);
    sent.moved = sent.moved || result.bytes != 0;
    if (result.status == IoStatus::kBlocked) return {SendStatus::kBlocked, sent.moved};
    if (result.status != IoStatus::kDone) return {SendStatus::kFailed, sent.moved};
    if (next == Upload::Next::kWait) return {SendStatus::kWaiting, sent.moved};
    if (next == Upload::Next::kEnd) return sent;
    pieces_.clear();
    rewind();
  }
  return {SendStatus::kYielded, sent.moved};
}

// Adds the next part of a body on its way, once the last one is sent: with the head, where it can.
Upload::Next Exchange::next_part() {
  if (!upload_.is_active()) return Upload::Next::kEnd;
  if (part_added_ && piece_ < pieces_.size()) return Upload::Next::kPieces;
  const Upload::Next next = upload_.next(pieces_);
  part_added_ = next == Upload::Next::kPieces;
  return next;
}

void Exchange::resume_sending() {
  upload_.note_ready();
  if (connection != nullptr) connection->resume_sending();
}

IoResult Exchange::send_pieces(Stream& stream) {
  IoResult sent{IoStatus::kDone};
  while (piece_ < pieces_.size()) {
    std::array<iovec, kPiecesPerCall> parts;
    const std::size_t count = std::min(kPiecesPerCall, pieces_.size() - piece_);
    std::copy_n(pieces_.begin() + static_cast<std::ptrdiff_t>(piece_), count, parts.begin());
    parts[0].iov_base = static_cast<char*>(parts[0].iov_base) + offset_;
    parts[0].iov_len -= offset_;
    const IoResult result = stream.write({parts.data(), count});
    sent.bytes += result.bytes;
    for (offset_ += result.bytes; piece_ < pieces_.size() && offset_ >= pieces_[piece_].iov_len;) {
      offset_ -= pieces_[piece_++].iov_len;
    }
    if (result.status != IoStatus::kDone) return {result.status, sent.bytes};
  }
  return sent;
}

void Exchange::begin_again() {
  retried = true;
  rewind();
  connect_deadline_ns_ = in_ms(http_.loop().turn_time_ns(), connect_timeout_ms_);
}

void Exchange::rewind() {
  piece_ = 0;
  offset_ = 0;
}

void Exchange::on_deadline() {
  const std::int64_t now_ns = http_.loop().turn_time_ns();
  const bool more_time = now_ns < connect_deadline_ns_ && now_ns < total_deadline_ns_;
  if (phase == Phase::kConnecting && connection != nullptr && more_time) {
    return connection->try_next_address();
  }
  Error reason = timeout_error();
  if (connection != nullptr) {
    connection->abandon();
  } else if (phase != Phase::kFailed) {
    pool->forget(*this);
  }
  if (phase != Phase::kFailed) http_.fail(*this, std::move(reason));
}

std::uint32_t Exchange::timeout_ms() const {
  switch (phase) {
    case Phase::kConnecting:
      return connect_timeout_ms_;
    case Phase::kAwaitingHead:
      return first_byte_timeout_ms_;
    case Phase::kSending:
    case Phase::kAwaitingSender:
    case Phase::kBody:
      return idle_timeout_ms_;
    case Phase::kPaused:
    case Phase::kFailed:
      break;
  }
  return 0;
}

Error Exchange::timeout_error() const {
  const std::string within = " within " + duration(timeout_ms());
  std::string message;
  if (http_.loop().turn_time_ns() >= total_deadline_ns_) {
    message = "the upstream did not complete its response within " + duration(total_timeout_ms_);
  } else if (phase == Phase::kConnecting) {
    message = "no connection to the upstream" + within;
  } else if (phase == Phase::kSending) {
    message = "the upstream took no more of the request" + within;
  } else if (phase == Phase::kAwaitingSender) {
    message = "the request's sender sent no more of it" + within;
  } else if (phase == Phase::kAwaitingHead) {
    message = "the upstream sent no response head" + within;
  } else {
    message = "the upstream sent no more of its response" + within;
  }
  return {Code::kDeadlineExceeded, std::move(message), {}, 0, 0};
}

}  // namespace backplane
