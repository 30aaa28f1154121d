// SPDX-License-Identifier: Apache-2.0
// A listener: accepting sockets on every loop, with one limit for all. Listeners of one address
// share its sockets; what one of them leaves behind is accepted by the others.
#pragma once

#include <backplane/net.h>

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/net/event_loop.hpp"
#include "runtime/net/listening_socket.hpp"
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
  // Connections whose handshake is not over go to `successor`, if there is one.
  void close(Acceptor* successor);

  // A connection is ready for the transport.
  void accepted(Connection& connection);
  // A connection that was accepted here has ended.
  void gone();
  // A connection comes over from another acceptor of the same address.
  void inherit();

  void on_ready(std::uint32_t epoll_events) override;
  LoopNet& net() { return net_; }
  int descriptor() const { return descriptor_; }  // changes only in close

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
           TlsContext tls, ListenAddress address)
      : owner_(owner),
        handler_(handler),
        connections_max_(connections_max),
        tls_(std::move(tls)),
        address_(std::move(address)) {}

  bp_listener* handle() { return reinterpret_cast<bp_listener*>(this); }
  static Listener& of(bp_listener* listener) { return *reinterpret_cast<Listener*>(listener); }

  // [control]
  // Spreads the sockets over the loops, so that each has at least one. False: out of descriptors.
  bool add(OwnedDescriptors sockets, const std::vector<std::unique_ptr<LoopNet>>& nets);
  bool open();
  // `successor`: another listener of the address, or null.
  void close(Listener* successor);
  // The descriptors are borrowed.
  ListeningSockets sockets() const;
  const ListenAddress& address() const { return address_; }

  // [any-thread]
  Net& owner() const { return owner_; }
  std::uint16_t port() const {
    return address_.is_unix() ? std::uint16_t{0} : port_of(address_.ip);
  }
  int accepts_per_turn() const { return accepts_per_turn_; }
  ssl_ctx_st* tls() const { return tls_.get(); }
  const bp_listen_handler& handler() const { return handler_; }
  bool reserve();
  void inherit() { count_.fetch_add(1, std::memory_order_relaxed); }
  void give_back() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  Acceptor* acceptor_of(const LoopNet& net) const;

  Net& owner_;
  const bp_listen_handler handler_;
  const std::uint32_t connections_max_;
  const TlsContext tls_;
  const ListenAddress address_;
  std::size_t distinct_ = 0;  // the kernel's sockets: the first so many acceptors
  int accepts_per_turn_ = 1;
  std::atomic<std::uint32_t> count_{0};
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace backplane
