// SPDX-License-Identifier: Apache-2.0
// A listener: one accepting socket on every loop, with one limit for all.
#pragma once

#include <backplane/net.h>

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/net/event_loop.hpp"
#include "runtime/net/tls.hpp"

namespace backplane {

class Connection;
class Listener;
class LoopNet;
class Net;

// The socket of one loop. All [loop].
class Acceptor final : public Watch {
 public:
  // Owns the descriptor.
  Acceptor(Listener& listener, LoopNet& net, int descriptor);
  ~Acceptor();

  bool open();
  void close();

  // A connection is ready for the transport.
  void accepted(Connection& connection);
  // A connection that was accepted here has ended.
  void gone();

  void on_ready(std::uint32_t epoll_events) override;
  LoopNet& net() { return net_; }

 private:
  bool accept_one();
  void rest();
  void wake();

  Listener& listener_;
  LoopNet& net_;
  int descriptor_;
  std::uint64_t timer_ = 0;  // not 0: resting
};

class Listener {
 public:
  Listener(Net& owner, const bp_listen_handler& handler, std::uint32_t connections_max,
           TlsContext tls, std::uint16_t port)
      : owner_(owner),
        handler_(handler),
        connections_max_(connections_max),
        tls_(std::move(tls)),
        port_(port) {}

  bp_listener* handle() { return reinterpret_cast<bp_listener*>(this); }
  static Listener& of(bp_listener* listener) { return *reinterpret_cast<Listener*>(listener); }

  // [control]
  void add(LoopNet& net, int descriptor);
  bool open();
  void close();

  // [any-thread]
  Net& owner() const { return owner_; }
  std::uint16_t port() const { return port_; }
  ssl_ctx_st* tls() const { return tls_.get(); }
  const bp_listen_handler& handler() const { return handler_; }
  bool reserve();
  void give_back() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  Net& owner_;
  const bp_listen_handler handler_;
  const std::uint32_t connections_max_;
  const TlsContext tls_;
  const std::uint16_t port_;
  std::atomic<std::uint32_t> count_{0};
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace backplane
