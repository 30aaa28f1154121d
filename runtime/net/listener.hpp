// SPDX-License-Identifier: Apache-2.0
// A listener: accepting sockets on every loop, with one limit for all. Listeners of one address
// share its sockets; what one of them leaves behind is accepted by the others.
#pragma once

#include <backplane/net.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "runtime/net/certificate_files.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/net/listening_socket.hpp"
#include "runtime/net/tls.hpp"

namespace backplane {

class Connection;
struct ConnectionGroup;
class Listener;
class LoopNet;
class Net;

struct ListenerOptions {
  ListenAddress address;
  std::uint32_t connections_max = 0;
  std::unique_ptr<CertificateFiles> certificate;  // null: no TLS
  std::string protocols;                          // as parse_protocols gives them
  bool proxy_protocol = false;
  std::uint32_t write_bytes_per_second_min = 0;
};

// The socket of one loop. All [loop].
class Acceptor final : public Watch {
 public:
  // Owns the descriptor.
  Acceptor(Listener& listener, LoopNet& net, int descriptor);
  ~Acceptor();

  bool open();
  // For connections to come.
  void use(TlsContext tls) { tls_ = std::move(tls); }
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
  const ListenerOptions& options() const;
  int descriptor() const { return descriptor_; }  // changes only in close
  ConnectionGroup* group() const;

 private:
  bool accept_one();
  void rest();
  void wake();

  Listener& listener_;
  LoopNet& net_;
  int descriptor_;
  TlsContext tls_;
  std::uint64_t timer_ = 0;  // not 0: resting
};

class Listener {
 public:
  Listener(Net& owner, const bp_listen_handler& handler, ListenerOptions options)
      : owner_(owner), handler_(handler), options_(std::move(options)) {}

  bp_listener* handle() { return reinterpret_cast<bp_listener*>(this); }
  static Listener& of(bp_listener* listener) { return *reinterpret_cast<Listener*>(listener); }

  // [control]
  // Spreads the sockets over the loops, so that each has at least one. False: out of descriptors.
  bool add(OwnedDescriptors sockets, const std::vector<std::unique_ptr<LoopNet>>& nets);
  bool open();
  // Reads the certificate and uses it for connections to come; the old one stays if that fails.
  Status read_certificate();
  void use(ssl_ctx_st& tls);
  CertificateFiles* certificate() const { return options_.certificate.get(); }
  // `successor`: another listener of the address, or null.
  void close(Listener* successor);
  // The descriptors are borrowed.
  ListeningSockets sockets() const;
  const ListenAddress& address() const { return options_.address; }
  void set_group(ConnectionGroup* group) { group_ = group; }

  // [any-thread]
  ConnectionGroup* group() const { return group_; }
  Net& owner() const { return owner_; }
  std::uint16_t port() const;
  int accepts_per_turn() const { return accepts_per_turn_; }
  const bp_listen_handler& handler() const { return handler_; }
  const ListenerOptions& options() const { return options_; }
  bool reserve();
  void inherit() { count_.fetch_add(1, std::memory_order_relaxed); }
  void give_back() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  Acceptor* acceptor_of(const LoopNet& net) const;

  Net& owner_;
  const bp_listen_handler handler_;
  const ListenerOptions options_;
  std::size_t distinct_ = 0;  // the kernel's sockets: the first so many acceptors
  int accepts_per_turn_ = 1;
  ConnectionGroup* group_ = nullptr;  // set before it opens
  std::atomic<std::uint32_t> count_{0};
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace backplane
