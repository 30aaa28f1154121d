// SPDX-License-Identifier: Apache-2.0
// bp.net/1: listeners and accepted connections of one runtime, with TLS.
//
// A listener has one socket on every loop; the kernel spreads connections. All loops serve the one
// socket of a path. An address that a stranger's socket listens on is refused, even if that socket
// would share it; one that another listener of the same Net has is shared: so one takes over from
// the other without a connection lost. "[::]" takes IPv4 as well. With TLS a connection is handed
// over after the handshake.
#pragma once

#include <backplane/net.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/net/listening_socket.hpp"
#include "runtime/net/loop.hpp"

namespace backplane {

inline constexpr std::uint32_t kConnectionsMaxDefault = 65'536;  // of one listener
inline constexpr std::size_t kHighWaterBytes = 256 * 1024;       // write answers PAUSE
inline constexpr std::size_t kLowWaterBytes = 64 * 1024;         // drained follows
// Unsent, after which the connection is aborted; above what a backend gathers as one whole
// response.
inline constexpr std::size_t kPendingMaxBytes = 80 * 1024 * 1024;
inline constexpr std::uint64_t kHandshakeTimeoutMs = 10'000;
inline constexpr std::uint64_t kCloseTimeoutMs = 10'000;  // for the peer to take more, at close
inline constexpr std::uint64_t kLingerTimeoutMs = 2'000;  // after that, for the peer's own end
inline constexpr std::uint64_t kAcceptPauseMs = 100;      // out of descriptors, or at the limit

class Listener;
class LoopNet;
class PeriodicThread;

// `certificate`: the path of its file.
using CertificateReport =
    std::function<void(const std::string& certificate, const Status& outcome)>;
struct ConnectionGroup;

class Net {
 public:
  // `loops` must outlive this object. [control]
  explicit Net(Loops& loops);
  // Closes the listeners, aborts the connections. [control] not from a loop's thread
  ~Net();
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // Lives as long as this object. [any-thread]
  const bp_net* table() const { return &table_; }
  // Open connections, those included that are being set up or taken down. [any-thread]
  std::size_t connection_count() const;
  // Accepted since the beginning. [any-thread]
  std::uint64_t accepted_count() const;
  // Resets every connection, or those of a group; all have been told `closed` when it returns.
  // Close the listeners first. [control] not from a loop's thread
  void abort_all(const ConnectionGroup* group = nullptr);

  // What bp_net's functions of the same name do. [control] not from inside a callback
  // What is accepted is of `group`, which outlives it; null: of none.
  Result<Listener*> listen(const bp_listen_options& options, const bp_listen_handler& handler,
                           ConnectionGroup* group = nullptr);
  void close_listener(Listener& listener);

  // Reads every listener's certificate and key anew, for connections to come. Answers what failed;
  // there the old ones stay in use. [control]
  std::vector<Error> reload_certificates();
  // From here on does so for a listener whose files have changed, which it looks for every
  // `interval_ms` on a thread of its own; `report` is called there and must not call this object.
  // [control] at most once
  void watch_certificates(std::uint64_t interval_ms, CertificateReport report);

  // The sockets of every address that is listened on. The descriptors are borrowed and stay open
  // until the last listener of their address closes. [control]
  std::vector<ListeningSockets> listening_sockets() const;
  // Takes over sockets that another process has bound, descriptors and all: a later listen on one
  // of these addresses uses them instead of binding. [control]
  void adopt(std::vector<ListeningSockets> sockets);
  // Closes the adopted sockets that nothing listens on. [control]
  void drop_unused();

 private:
  Result<OwnedDescriptors> sockets_for(ListenAddress& address);
  Listener* find(const ListenAddress& address) const;

  Loops& loops_;
  std::vector<std::unique_ptr<LoopNet>> loop_nets_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // guarded by mutex_
  std::vector<ListeningSockets> adopted_;             // owned
  std::unique_ptr<PeriodicThread> certificate_watch_;
  bp_net table_{};
};

}  // namespace backplane
