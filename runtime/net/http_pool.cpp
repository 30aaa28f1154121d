// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_pool.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "runtime/net/http.hpp"
#include "runtime/net/http_connection.hpp"
#include "runtime/net/http_loop.hpp"

namespace backplane {

namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

HostPool::HostPool(LoopHttp& http, const Url& url)
    : http_(http), origin_(url.origin), host_(url.host), port_(url.port), tls_(url.tls) {
  const auto literal = literal_address(host_, port_);
  if (!literal) return;
  addresses_.push_back(*literal);
  addresses_until_ns_ = INT64_MAX;
}

EventLoop& HostPool::loop() {
  return http_.loop();
}
DeadlineSweep& HostPool::sweep() {
  return http_.sweep();
}
TlsSession HostPool::make_session() {
  return make_client_session(http_.tls(), host_);
}

bool HostPool::is_unused() const {
  return connections_.empty() && waiting_.empty() && resolving_.empty();
}

bool HostPool::has_room() const {
  return alive_ + resolving_.size() < http_.connections_per_host_max();
}

void HostPool::submit(Exchange& exchange) {
  // A body that comes only once is not entrusted to a connection that may be stale.
  if (exchange.has_upload()) {
    if (!has_room() && !idle_.empty()) idle_.front()->close();
  } else if (!idle_.empty()) {
    UpstreamConnection* connection = idle_.back();
    idle_.pop_back();
    http_.counts().idle.add(-1);
    http_.counts().reused.add(1);
    return connection->serve(exchange);
  }
  exchange.enter(Phase::kConnecting);
  if (has_room()) return open(exchange);
  if (waiting_.size() < kWaitingPerHostMax) {
    http_.counts().waiting.add(1);
    return waiting_.push_back(&exchange);
  }
  http_.fail(exchange, {Code::kUnavailable, "too many requests wait for the upstream", {}, 0, 0});
}

void HostPool::retry(Exchange& exchange) {
  exchange.begin_again();
  exchange.enter(Phase::kConnecting);
  open(exchange);
}

void HostPool::open(Exchange& exchange) {
  if (loop().turn_time_ns() < addresses_until_ns_) {
    new UpstreamConnection(*this, exchange, addresses_);  // owns itself
    return;
  }
  resolving_.push_back(&exchange);
  if (resolving_.size() == 1) http_.resolve(origin_, host_, port_);
}

void HostPool::on_addresses(Addresses addresses) {
  addresses_ = std::move(addresses);
  if (!addresses_.empty()) {
    addresses_until_ns_ = loop().turn_time_ns() + static_cast<std::int64_t>(kAddressLifetimeMs) *
                                                      kNanosecondsPerMillisecond;
  }
  for (Exchange* exchange : std::exchange(resolving_, {})) {
    if (addresses_.empty()) {
      http_.fail(*exchange, {Code::kUnavailable, "the upstream's name has no address", {}, 0, 0});
    } else {
      new UpstreamConnection(*this, *exchange, addresses_);
    }
  }
  open_waiting();
}

void HostPool::forget(Exchange& exchange) {
  http_.counts().waiting.add(-static_cast<std::int64_t>(std::erase(waiting_, &exchange)));
  std::erase(resolving_, &exchange);
}

void HostPool::close_all() {
  http_.counts().waiting.add(-static_cast<std::int64_t>(waiting_.size()));
  for (Exchange* exchange : std::exchange(waiting_, {})) http_.destroy(*exchange);
  for (Exchange* exchange : std::exchange(resolving_, {})) http_.destroy(*exchange);
  for (UpstreamConnection* connection : connections_) connection->close();
}

void HostPool::add(UpstreamConnection& connection) {
  connection.index_ = static_cast<std::uint32_t>(connections_.size());
  connections_.push_back(&connection);
  sweep().add(connection);
  ++alive_;
  http_.counts().connections.add(1);
  http_.counts().opened.add(1);
}

void HostPool::remove(UpstreamConnection& connection) {
  assert(connections_[connection.index_] == &connection);
  sweep().remove(connection);
  connections_[connection.index_] = connections_.back();
  connections_[connection.index_]->index_ = connection.index_;
  connections_.pop_back();
}

void HostPool::take_back(UpstreamConnection& connection) {
  if (!waiting_.empty()) {
    Exchange& next = *waiting_.front();
    if (next.has_upload()) return connection.close();
    waiting_.pop_front();
    http_.counts().waiting.add(-1);
    http_.counts().reused.add(1);
    return connection.serve(next);
  }
  idle_.push_back(&connection);
  http_.counts().idle.add(1);
  if (idle_.size() > kIdlePerHostMax) idle_.front()->close();
}

void HostPool::gone(UpstreamConnection& connection, bool was_idle) {
  --alive_;
  http_.counts().connections.add(-1);
  if (was_idle) {
    http_.counts().idle.add(-static_cast<std::int64_t>(std::erase(idle_, &connection)));
  }
  open_waiting();
}

void HostPool::open_waiting() {
  // A connection that fails at once leads back here.
  if (std::exchange(opening_, true)) return;
  while (!waiting_.empty() && has_room()) {
    Exchange& next = *waiting_.front();
    waiting_.pop_front();
    http_.counts().waiting.add(-1);
    open(next);
  }
  opening_ = false;
}

}  // namespace backplane
