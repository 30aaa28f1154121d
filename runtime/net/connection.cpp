// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/connection.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "runtime/net/listener.hpp"
#include "runtime/net/loop_net.hpp"
#include "runtime/net/net.hpp"

namespace backplane {

namespace {

constexpr std::uint32_t kWatched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int kReadsPerTurn = 4;  // then the others have their turn
constexpr std::size_t kDirectWriteBytes = 16 * 1024;
constexpr std::size_t kDirectPiecesMax = 63;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::uint64_t kTimeoutMaxMs = 1ull << 40;

std::size_t total_of(const bp_str* pieces, std::uint64_t count) {
  std::size_t total = 0;
  for (std::uint64_t index = 0; index < count; ++index) total += pieces[index].size;
  return total;
}

iovec piece_of(const char* data, std::size_t size) {
  return {const_cast<char*>(data), size};
}

}  // namespace

Connection::Connection(LoopNet& net, Acceptor& acceptor, int descriptor, const SocketAddress& peer)
    : net_(net), acceptor_(&acceptor), stream_(descriptor), peer_(peer) {
  net_.add(*this);
}

Connection::~Connection() {
  assert(state_ == State::kDead);
  net_.remove(*this);
}

EventLoop& Connection::loop() const {
  return net_.loop();
}

void Connection::start(TlsSession session) {
  const bool tls = session != nullptr;
  if ((tls && !stream_.start_tls(std::move(session))) ||
      !loop().watch(stream_.descriptor(), kWatched, *this)) {
    return die();
  }
  if (!tls) return hand_over();
  arm(kHandshakeTimeoutMs);
}

void Connection::forget(const Acceptor& acceptor, Acceptor* successor) {
  if (acceptor_ != &acceptor) return;
  acceptor_ = state_ == State::kHandshake ? successor : nullptr;
  if (acceptor_ != nullptr) return acceptor_->inherit();
  if (state_ == State::kHandshake) die();
}

void Connection::hand_over() {
  state_ = State::kOpen;
  acceptor_->accepted(*this);
  if (handler_ == nullptr) close();
}

void Connection::continue_handshake() {
  const IoResult result = stream_.handshake();
  if (result.status == IoStatus::kBlocked) return;
  if (result.status != IoStatus::kDone) return die();
  arm(0);
  hand_over();
}

void Connection::set_handler(const bp_connection_handler& handler, void* context) {
  handler_ = &handler;
  context_ = context;
}

void Connection::on_ready(std::uint32_t epoll_events) {
  if (state_ == State::kDead) return;
  const bool hangup = (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (hangup || (epoll_events & EPOLLIN) != 0) {
    unread_ = true;
    stream_.note_readable(hangup);
  }
  if (stream_.uses_tls()) unread_ = true;  // TLS may have waited to write before it could read
  if (state_ == State::kHandshake) continue_handshake();
  if (state_ == State::kDead || state_ == State::kHandshake) return;
  if ((epoll_events & EPOLLOUT) != 0 && std::exchange(blocked_, false)) loop().defer(*this);
  if (paused_ && hangup) return read_while_paused((epoll_events & EPOLLERR) != 0);
  read_available();
}

void Connection::read_while_paused(bool failed) {
  if (failed) return die();
  if (state_ == State::kOpen && !ended_ && stream_.peer_has_ended()) on_end();
}

void Connection::read_available() {
  for (int reads = 0; unread_ && !paused_ && state_ != State::kDead; ++reads) {
    if (reads == kReadsPerTurn) return loop().defer(*this);
    const IoResult result = stream_.read(loop().scratch(), kScratchBytes);
    switch (result.status) {
      case IoStatus::kDone:
        if (state_ == State::kOpen) {
          handler_->data(context_, {loop().scratch(), result.bytes});
        }
        break;
      case IoStatus::kBlocked:
        unread_ = false;
        break;
      case IoStatus::kEnd:
      case IoStatus::kTruncated:
        unread_ = false;
        on_end();
        break;
      case IoStatus::kFailed:
        die();
        break;
    }
  }
  if (unread_ && paused_ && stream_.has_hung_up()) read_while_paused(false);
}

void Connection::on_end() {
  if (std::exchange(ended_, true)) return;
  if (state_ == State::kLinger) return die();
  if (state_ == State::kOpen) handler_->end(context_);
}

std::uint32_t Connection::write(const bp_str* pieces, std::uint64_t count) {
  if (state_ != State::kOpen) return BP_FLOW_STOP;
  const std::size_t total = total_of(pieces, count);
  std::size_t sent = 0;
  if (total >= kDirectWriteBytes && !blocked_ && count <= kDirectPiecesMax &&
      !write_directly(pieces, count, sent)) {
    return BP_FLOW_STOP;
  }
  if (sent < total) append(pieces, count, sent);
  if (pending() > kPendingMaxBytes) {
    abort();
    return BP_FLOW_STOP;
  }
  if (pending() > kHighWaterBytes) wants_drained_ = true;
  if ((pending() > 0 && !blocked_) || wants_drained_) loop().defer(*this);
  return wants_drained_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
}

// Sends what is pending and the pieces without copying them; `sent` counts bytes of the pieces.
bool Connection::write_directly(const bp_str* pieces, std::uint64_t count, std::size_t& sent) {
  std::array<iovec, kDirectPiecesMax + 1> parts;
  const std::size_t before = pending();
  parts[0] = piece_of(output_.data() + output_offset_, before);
  for (std::uint64_t index = 0; index < count; ++index) {
    parts[index + 1] = piece_of(pieces[index].data, pieces[index].size);
  }
  const IoResult result = stream_.write({parts.data(), count + 1});
  if (result.status == IoStatus::kFailed) {
    die();
    return false;
  }
  blocked_ = result.status == IoStatus::kBlocked;
  take_sent(std::min(result.bytes, before));
  sent = result.bytes - std::min(result.bytes, before);
  return true;
}

void Connection::append(const bp_str* pieces, std::uint64_t count, std::size_t skip) {
  if (output_.capacity() < kDirectWriteBytes) {
    std::string spare = net_.take_output();
    if (spare.capacity() > output_.capacity() && output_.empty()) output_ = std::move(spare);
  }
  if (output_offset_ > kLowWaterBytes && output_offset_ > output_.size() / 2) {
    output_.erase(0, output_offset_);
    output_offset_ = 0;
  }
  for (std::uint64_t index = 0; index < count; ++index) {
    const std::size_t part = std::min<std::size_t>(skip, pieces[index].size);
    skip -= part;
    output_.append(pieces[index].data + part, pieces[index].size - part);
  }
}

void Connection::flush() {
  if (pending() == 0 || blocked_) return;
  const iovec part = piece_of(output_.data() + output_offset_, pending());
  const IoResult result = stream_.write({&part, 1});
  if (result.status == IoStatus::kFailed) return die();
  blocked_ = result.status == IoStatus::kBlocked;
  take_sent(result.bytes);
}

void Connection::take_sent(std::size_t bytes) {
  // A peer that reads slowly is not one that does not read.
  if (bytes != 0 && timeout_ms_ != 0 && (wants_drained_ || state_ == State::kClosing)) {
    arm(timeout_ms_);
  }
  output_offset_ += bytes;
  if (output_offset_ < output_.size() || output_.empty()) return;
  output_offset_ = 0;
  net_.give_back_output(std::exchange(output_, {}));
}

void Connection::pause() {
  paused_ = true;
}

void Connection::resume() {
  if (state_ != State::kOpen || !std::exchange(paused_, false)) return;
  if (unread_) loop().defer(*this);
}

void Connection::set_timeout(std::uint64_t timeout_ms) {
  if (state_ == State::kOpen) arm(timeout_ms);
}

void Connection::arm(std::uint64_t timeout_ms) {
  timeout_ms_ = timeout_ms;
  const auto timeout = static_cast<std::int64_t>(std::min(timeout_ms, kTimeoutMaxMs));
  const std::int64_t deadline_ns =
      timeout == 0 ? 0 : monotonic_ns() + timeout * kNanosecondsPerMillisecond;
  net_.sweep().set(*this, deadline_ns);
}

void Connection::on_deadline() {
  if (state_ == State::kDead) return;
  timeout_ms_ = 0;
  if (state_ == State::kOpen) return handler_->timeout(context_);
  abort();
}

void Connection::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  paused_ = false;
  if (timeout_ms_ == 0) arm(kCloseTimeoutMs);
  loop().defer(*this);
}

void Connection::abort() {
  if (state_ == State::kDead) return;
  loop().unwatch(stream_.descriptor());
  stream_.reset();
  die();
}

bp_str Connection::peer() {
  if (peer_text_.empty()) peer_text_ = text_of(peer_);
  return {peer_text_.data(), peer_text_.size()};
}

void Connection::at_turn_end() {
  if (state_ == State::kDead) return finish();
  flush();
  if (state_ == State::kOpen && wants_drained_ && pending() <= kLowWaterBytes) {
    wants_drained_ = false;
    handler_->drained(context_);
  }
  if (state_ == State::kClosing && pending() == 0) linger();
  read_available();
}

// A socket closed with bytes unread resets the connection, and the peer may lose the last response:
// so the peer's own end is awaited, with a bound.
void Connection::linger() {
  stream_.shutdown_write();
  if (ended_) return die();
  state_ = State::kLinger;
  arm(kLingerTimeoutMs);
  tell_closed();
}

void Connection::tell_closed() {
  const bp_connection_handler* handler = std::exchange(handler_, nullptr);
  if (handler != nullptr) handler->closed(context_);
}

void Connection::die() {
  if (state_ == State::kDead) return;
  state_ = State::kDead;
  if (stream_.is_open()) {
    loop().unwatch(stream_.descriptor());
    stream_.close();
  }
  net_.sweep().set(*this, 0);
  loop().defer(*this);
}

void Connection::finish() {
  tell_closed();
  if (acceptor_ != nullptr) acceptor_->gone();
  delete this;
}

}  // namespace backplane
