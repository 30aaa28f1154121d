// SPDX-License-Identifier: Apache-2.0
// The HTTP client of one loop: its pools, its exchanges. All [loop] but on_addresses.
#pragma once

#include <backplane/http.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/net/deadline_sweep.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/net/http_counts.hpp"
#include "runtime/net/http_exchange.hpp"
#include "runtime/net/http_pool.hpp"
#include "runtime/net/http_resolver.hpp"

namespace backplane {

class LoopHttp final : public TurnEnd, public AddressReceiver {
 public:
  LoopHttp(EventLoop& loop, ssl_ctx_st& tls, Resolver& resolver,
           std::size_t connections_per_host_max);
  ~LoopHttp();
  LoopHttp(const LoopHttp&) = delete;
  LoopHttp& operator=(const LoopHttp&) = delete;

  EventLoop& loop() { return loop_; }
  DeadlineSweep& sweep() { return sweep_; }
  ssl_ctx_st& tls() { return tls_; }
  std::size_t connections_per_host_max() const { return connections_per_host_max_; }
  HttpCounts& counts() { return counts_; }
  const HttpCounts& counts() const { return counts_; }  // [any-thread] to read

  Result<Exchange*> send(const bp_http_request& request, const bp_http_handler& handler,
                         void* context);
  // Drops every exchange and closes every connection; they are gone at the end of the turn.
  void close_all();

  // For exchanges, pools and connections.
  // The exchange has no connection any more; `failed` is told at the end of the turn.
  void fail(Exchange& exchange, Error error);
  void forget(Exchange& exchange);  // ... or is not
  void destroy(Exchange& exchange);
  void resolve(const std::string& origin, const std::string& host, std::uint16_t port);

  void at_turn_end() override;
  void on_addresses(const std::string& origin, Addresses addresses) override;  // [any-thread]

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unique_ptr<Exchange> take_exchange();
  HostPool& pool_of(const Url& url);
  void collect_addresses();

  EventLoop& loop_;
  DeadlineSweep sweep_;
  ssl_ctx_st& tls_;
  Resolver& resolver_;
  const std::size_t connections_per_host_max_;
  std::unordered_map<std::string, std::unique_ptr<HostPool>, Hash, std::equal_to<>> pools_;
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  std::vector<Exchange*> failed_;
  bool closing_ = false;
  HttpCounts counts_;

  std::mutex mutex_;
  std::vector<std::pair<std::string, Addresses>> answers_;  // guarded by mutex_
};

}  // namespace backplane
