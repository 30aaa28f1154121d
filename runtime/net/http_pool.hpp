// SPDX-License-Identifier: Apache-2.0
// The connections of one loop to one origin, and the exchanges that wait for one. All [loop].
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/net/http_exchange.hpp"
#include "runtime/net/http_resolver.hpp"
#include "runtime/net/http_url.hpp"
#include "runtime/net/tls.hpp"

namespace backplane {

class LoopHttp;

class HostPool {
 public:
  HostPool(LoopHttp& http, const Url& url);

  LoopHttp& http() { return http_; }
  EventLoop& loop();
  DeadlineSweep& sweep();
  bool uses_tls() const { return tls_; }
  TlsSession make_session();
  bool is_unused() const;

  // Finds a connection for the exchange, now or later.
  void submit(Exchange& exchange);
  // Once more, on a new connection.
  void retry(Exchange& exchange);
  // The exchange has no connection and needs none any more.
  void forget(Exchange& exchange);
  void on_addresses(Addresses addresses);
  void close_all();

  // For connections.
  void add(UpstreamConnection& connection);
  void remove(UpstreamConnection& connection);
  void take_back(UpstreamConnection& connection);
  void gone(UpstreamConnection& connection, bool was_idle);

 private:
  void open(Exchange& exchange);
  void open_waiting();
  bool has_room() const;

  LoopHttp& http_;
  const std::string origin_;
  const std::string host_;
  const std::uint16_t port_;
  const bool tls_;
  std::vector<UpstreamConnection*> connections_;
  std::vector<UpstreamConnection*> idle_;  // the latest last
  std::size_t alive_ = 0;                  // of connections_
  bool opening_ = false;                   // opens from waiting_
  std::deque<Exchange*> waiting_;          // for a connection
  std::vector<Exchange*> resolving_;       // for an address
  Addresses addresses_;
  std::int64_t addresses_until_ns_ = 0;
};

}  // namespace backplane
