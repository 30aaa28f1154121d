// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_connection.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "runtime/net/http.hpp"
#include "runtime/net/http_loop.hpp"
#include "runtime/net/http_pool.hpp"

namespace backplane {

namespace {

constexpr std::uint32_t kWatched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int kReadsPerTurn = 4;
constexpr std::size_t kHeldMaxBytes = kResponseHeadMaxBytes + kScratchBytes;
constexpr std::size_t kHeldKeptBytes = 4 * 1024;

Error unavailable(std::string message) {
  return {Code::kUnavailable, std::move(message), {}, 0, 0};
}

}  // namespace

UpstreamConnection::UpstreamConnection(HostPool& pool, Exchange& exchange, Addresses addresses)
    : pool_(pool), exchange_(&exchange), addresses_(std::move(addresses)) {
  std::reverse(addresses_.begin(), addresses_.end());
  exchange.connection = this;
  pool_.add(*this);
  try_next_address();
}

UpstreamConnection::~UpstreamConnection() {
  assert(state_ == State::kDead && exchange_ == nullptr);
  pool_.remove(*this);
}

void UpstreamConnection::try_next_address() {
  while (!addresses_.empty()) {
    const SocketAddress address = addresses_.back();
    addresses_.pop_back();
    if (stream_.is_open()) pool_.loop().unwatch(stream_.descriptor());
    state_ = State::kConnecting;
    if (open_socket(address)) return exchange_->limit_attempt(addresses_.size() + 1);
  }
  fail(unavailable("the upstream cannot be reached"));
}

bool UpstreamConnection::open_socket(const SocketAddress& address) {
  stream_.reopen(socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!stream_.is_open()) return false;
  const int on = 1;
  setsockopt(stream_.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(stream_.descriptor(), &address.any, size_of(address)) != 0 && errno != EINPROGRESS) {
    stream_.close();
    return false;
  }
  if (pool_.loop().watch(stream_.descriptor(), kWatched, *this)) return true;
  stream_.close();
  return false;
}

void UpstreamConnection::on_ready(std::uint32_t epoll_events) {
  if (state_ == State::kDead) return;
  const bool hangup = (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (hangup || (epoll_events & EPOLLIN) != 0 || stream_.uses_tls()) unread_ = true;
  if (unread_) stream_.note_readable(hangup);
  switch (state_) {
    case State::kConnecting:
      return finish_connecting();
    case State::kHandshake:
      return continue_handshake();
    case State::kIdle:
      return read_idle();
    case State::kBusy:
      if (unsent_ && (epoll_events & EPOLLOUT) != 0) send_more();
      return read_available();
    case State::kDead:
      break;
  }
}

void UpstreamConnection::finish_connecting() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(stream_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return try_next_address();
  if (!pool_.uses_tls()) return begin_exchange();
  if (!stream_.start_tls(pool_.make_session())) {
    return fail(internal_error("cannot set up TLS to the upstream: out of memory"));
  }
  state_ = State::kHandshake;
  continue_handshake();
}

void UpstreamConnection::continue_handshake() {
  const IoResult result = stream_.handshake();
  if (result.status == IoStatus::kBlocked) return;
  if (result.status == IoStatus::kDone) return begin_exchange();
  const std::string_view reason = verification_failure(*stream_.tls());
  if (reason.empty()) return fail(unavailable("the TLS handshake with the upstream failed"));
  fail(unavailable("the upstream's certificate was refused: " + std::string(reason)));
}

void UpstreamConnection::serve(Exchange& exchange) {
  assert(state_ == State::kIdle && exchange_ == nullptr);
  exchange_ = &exchange;
  exchange.connection = this;
  used_ = true;
  pool_.sweep().set(*this, 0);
  begin_exchange();
}

void UpstreamConnection::begin_exchange() {
  state_ = State::kBusy;
  addresses_.clear();
  responded_ = may_send_ = cut_short_ = false;
  unsent_ = true;
  reader_.begin(exchange_->to_head);
  exchange_->enter(Phase::kSending);
  send_more();
}

void UpstreamConnection::send_more() {
  const SendResult result = exchange_->send(stream_);
  const bool sending =
      exchange_->phase == Phase::kSending || exchange_->phase == Phase::kAwaitingSender;
  switch (result.status) {
    case SendStatus::kYielded:
      resume_sending();
      [[fallthrough]];
    case SendStatus::kBlocked:
      if (sending && exchange_->phase != Phase::kSending) return exchange_->enter(Phase::kSending);
      if (result.moved && exchange_->phase != Phase::kPaused) exchange_->touch();
      return;
    case SendStatus::kWaiting:
      if (sending) return exchange_->enter(Phase::kAwaitingSender);
      return;
    case SendStatus::kBroken:
      return fail(exchange_->broken_body());
    case SendStatus::kFailed:
      // What the upstream had to say about it may still be read.
      exchange_->stop_upload();
      unsent_ = false;
      cut_short_ = true;
      unread_ = true;
      stream_.note_readable(true);
      return pool_.loop().defer(*this);
    case SendStatus::kDone:
      break;
  }
  unsent_ = false;
  if (sending) exchange_->enter(Phase::kAwaitingHead);
}

void UpstreamConnection::resume_sending() {
  may_send_ = true;
  pool_.loop().defer(*this);
}

void UpstreamConnection::resume() {
  pool_.loop().defer(*this);
}

void UpstreamConnection::at_turn_end() {
  if (state_ == State::kDead) {
    delete this;
    return;
  }
  if (state_ == State::kIdle) return read_idle();
  if (state_ == State::kBusy && unsent_ && std::exchange(may_send_, false)) send_more();
  if (state_ != State::kBusy || exchange_->phase == Phase::kPaused) return;
  if (responded_) consume({});
  read_available();
}

void UpstreamConnection::read_available() {
  for (int reads = 0; unread_ && state_ == State::kBusy; ++reads) {
    if (exchange_->phase == Phase::kPaused) return;
    if (reads == kReadsPerTurn) return pool_.loop().defer(*this);
    const IoResult result = stream_.read(pool_.loop().scratch(), kScratchBytes);
    switch (result.status) {
      case IoStatus::kDone:
        responded_ = true;
        consume({pool_.loop().scratch(), result.bytes});
        break;
      case IoStatus::kBlocked:
        unread_ = false;
        break;
      case IoStatus::kEnd:
      case IoStatus::kTruncated:
        on_end(result.status == IoStatus::kTruncated);
        break;
      case IoStatus::kFailed:
        on_end(true);
        break;
    }
  }
}

void UpstreamConnection::read_idle() {
  const IoResult result = stream_.read(pool_.loop().scratch(), kScratchBytes);
  unread_ = false;
  if (result.status != IoStatus::kBlocked) die();
}

void UpstreamConnection::consume(std::string_view bytes) {
  const bool from_held = !held_.empty();
  if (from_held) bytes = held_.append(bytes);
  std::size_t consumed = 0;
  const Progress progress = reader_.read(bytes, consumed);
  if (state_ != State::kBusy) return;
  bytes.remove_prefix(std::min(consumed, bytes.size()));
  switch (progress) {
    case Progress::kNeedMore:
    case Progress::kStopped:
      if (from_held) {
        held_.erase(0, consumed);
      } else {
        held_.assign(bytes);
      }
      if (held_.size() > kHeldMaxBytes) break;
      if (exchange_->phase == Phase::kBody) exchange_->touch();
      return;
    case Progress::kDone:
      return complete(bytes.empty());
    case Progress::kMalformed:
      break;
  }
  fail(invalid_argument("the upstream does not speak HTTP/1.1, or its head is longer than 64 KiB"));
}

bool UpstreamConnection::on_head(std::uint32_t status, std::span<const bp_pair> headers) {
  Exchange* exchange = exchange_;
  cut_short_ = cut_short_ || unsent_;
  exchange->enter(Phase::kBody);
  exchange->handler->head(exchange->context, status, headers.data(), headers.size());
  return exchange_ == exchange;
}

bool UpstreamConnection::on_body(std::string_view bytes) {
  Exchange* exchange = exchange_;
  const std::uint32_t flow =
      exchange->handler->data(exchange->context, {bytes.data(), bytes.size()});
  if (exchange_ != exchange || state_ != State::kBusy) return false;
  if (flow == BP_FLOW_STOP) {
    exchange->cancel();
    return false;
  }
  if (flow == BP_FLOW_PAUSE) exchange->enter(Phase::kPaused);
  return flow != BP_FLOW_PAUSE;
}

void UpstreamConnection::on_end(bool truncated) {
  unread_ = false;
  if (!responded_ && used_ && !exchange_->retried) {
    Exchange& exchange = *exchange_;
    abandon();
    return pool_.retry(exchange);
  }
  if (!responded_) return fail(unavailable("the upstream closed the connection without an answer"));
  if (reader_.end(truncated) == Progress::kDone) return complete(false);
  fail({Code::kDataLoss, "the upstream's response ended early", {}, 0, 0});
}

void UpstreamConnection::complete(bool reusable) {
  Exchange& exchange = *std::exchange(exchange_, nullptr);
  const bp_http_handler& handler = *exchange.handler;
  void* const context = exchange.context;
  pool_.http().destroy(exchange);
  held_.clear();
  if (held_.capacity() > kHeldKeptBytes) held_.shrink_to_fit();
  if (reusable && !unsent_ && !cut_short_ && !stream_.has_hung_up() && reader_.keeps_alive()) {
    state_ = State::kIdle;
    if (stream_.may_read()) pool_.loop().defer(*this);
    pool_.sweep().set(*this, pool_.loop().turn_time_ns() +
                                 static_cast<std::int64_t>(kIdleConnectionMs) * 1'000'000);
    pool_.take_back(*this);
  } else {
    die();
  }
  handler.done(context);
}

void UpstreamConnection::fail(Error error) {
  Exchange& exchange = *exchange_;
  abandon();
  pool_.http().fail(exchange, std::move(error));
}

void UpstreamConnection::abandon() {
  if (exchange_ != nullptr) exchange_->connection = nullptr;
  exchange_ = nullptr;
  if (state_ == State::kBusy && stream_.is_open()) {
    // A mere close would wait behind what the upstream has not taken yet.
    pool_.loop().unwatch(stream_.descriptor());
    stream_.reset();
  }
  die();
}

void UpstreamConnection::close() {
  Exchange* exchange = exchange_;
  abandon();
  if (exchange != nullptr) pool_.http().destroy(*exchange);
}

void UpstreamConnection::on_deadline() {
  if (state_ == State::kIdle) die();
}

void UpstreamConnection::die() {
  if (state_ == State::kDead) return;
  const bool idle = state_ == State::kIdle;
  state_ = State::kDead;
  if (stream_.is_open()) {
    pool_.loop().unwatch(stream_.descriptor());
    stream_.close();
  }
  pool_.loop().defer(*this);
  pool_.gone(*this, idle);
}

}  // namespace backplane
