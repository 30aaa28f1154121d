// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/connection.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "runtime/net/listener.hpp"
#include "runtime/net/loop_net.hpp"
#include "runtime/net/net.hpp"
#include "runtime/net/net_user.hpp"
#include "runtime/net/proxy_header.hpp"

namespace backplane {

namespace {

constexpr std::uint32_t kWatched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int kReadsPerTurn = 4;  // then the others have their turn
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::uint64_t kTimeoutMaxMs = 1ull << 40;

}  // namespace

Connection::Connection(LoopNet& net, Acceptor& acceptor, int descriptor, const SocketAddress& peer)
    : net_(net),
      acceptor_(&acceptor),
      stream_(descriptor),
      write_bytes_per_second_min_(acceptor.options().write_bytes_per_second_min),
      awaits_proxy_header_(acceptor.options().proxy_protocol),
      peer_(peer) {
  net_.add(*this);
  join(acceptor.group());
}

Connection::~Connection() {
  assert(state_ == State::kDead);
  net_.remove(*this);
  join(nullptr);
}

void Connection::join(ConnectionGroup* group) {
  if (group != nullptr) group->count.fetch_add(1);
  if (group_ != nullptr) group_->count.fetch_sub(1);
  group_ = group;
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
  if (!tls && !awaits_proxy_header_) return hand_over();
  arm(kHandshakeTimeoutMs);
}

void Connection::forget(const Acceptor& acceptor, Acceptor* successor) {
  if (acceptor_ != &acceptor) return;
  acceptor_ = state_ == State::kHandshake ? successor : nullptr;
  if (acceptor_ != nullptr) return move_to(*acceptor_);
  if (state_ == State::kHandshake) die();
}

void Connection::hand_over() {
  state_ = State::kOpen;
  acceptor_->accepted(*this);
  if (handler_ == nullptr) close();
}

void Connection::move_to(Acceptor& successor) {
  successor.inherit();
  join(successor.group());
  if (stream_.uses_tls()) stream_.offer_protocols(successor.options().protocols);
}

void Connection::continue_handshake() {
  if (awaits_proxy_header_ && !take_proxy_header()) return;
  if (stream_.uses_tls()) {
    const IoResult result = stream_.handshake();
    if (result.status == IoStatus::kBlocked) return;
    if (result.status != IoStatus::kDone) return die();
  }
  arm(0);
  hand_over();
}

// Takes no byte of what follows the header: that is TLS's, or the transport's.
bool Connection::take_proxy_header() {
  char* const bytes = loop().scratch();
  const IoResult peeked = stream_.peek(bytes, kProxyHeaderMaxBytes);
  if (peeked.status == IoStatus::kBlocked) return false;
  const ProxyHeader header = read_proxy_header({bytes, peeked.bytes});
  switch (header.verdict) {
    case ProxyVerdict::kNeedMore:
      if (peeked.status != IoStatus::kDone || stream_.has_hung_up()) die();
      return false;
    case ProxyVerdict::kMalformed:
      die();
      return false;
    case ProxyVerdict::kProxied:
      peer_ = header.source;
      break;
    case ProxyVerdict::kLocal:
      break;
  }
  stream_.read_socket(bytes, header.size);
  awaits_proxy_header_ = false;
  return true;
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
  if (write_bytes_per_second_min_ != 0) begin_write_window();
}

void Connection::on_deadline() {
  if (state_ == State::kDead) return;
  if (has_taken_enough()) return arm(timeout_ms_);
  timeout_ms_ = 0;
  if (state_ == State::kOpen) return handler_->timeout(context_);
  abort();
}

void Connection::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  paused_ = false;
  if (timeout_ms_ == 0 || write_bytes_per_second_min_ != 0) {
    arm(timeout_ms_ == 0 ? kCloseTimeoutMs : timeout_ms_);
  }
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
