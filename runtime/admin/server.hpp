// SPDX-License-Identifier: Apache-2.0
// The operator's own endpoint: a small HTTP/1.1 server over the host's loops and sockets.
#pragma once

#include "runtime/admin/operations.hpp"
#include "runtime/admin/token.hpp"
#include "runtime/net/net_user.hpp"

#include <backplane/loop.h>

#include <atomic>
#include <backplane/result.hpp>
#include <memory>
#include <string>

namespace backplane {

inline constexpr std::uint32_t kAdminConnectionsMax = 32;
inline constexpr std::uint64_t kAdminRequestTimeoutMs = 10'000;  // for all of one request
inline constexpr std::uint64_t kAdminIdleTimeoutMs = 30'000;
inline constexpr std::uint64_t kAdminWriteTimeoutMs = 30'000;
inline constexpr std::uint64_t kWrongTokenDelayMs = 500;  // before it is told
inline constexpr std::size_t kAdminHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kAdminBodyBytesMax = 64 * 1024;

class AdminServer {
 public:
  // Listens. Everything given outlives it; the token is not kept. [control]
  static Result<std::unique_ptr<AdminServer>> start(const std::string& listen,
                                                    std::string_view token, Net& net,
                                                    const bp_loop_service& loops,
                                                    AdminOperations& operations);
  // Resets the connections that are left; not from a loop's thread. [control]
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Takes no new connection; those there are end after the request in hand, or when their time is
  // up. Idempotent. [control]
  void drain();
  std::size_t connection_count() const { return net_.connection_count(); }  // [any-thread]
  std::string address() const;                                              // [any-thread]
  bool has(const std::string& listen, std::string_view token) const;        // [any-thread]

  // For its connections. [loop]
  const bp_net& net() const { return *net_.table(); }
  const bp_loop_service& loops() const { return loops_; }
  AdminOperations& operations() const { return operations_; }
  const AdminToken& token() const { return token_; }
  bool draining() const { return draining_.load(); }

 private:
  AdminServer(std::string listen, std::string_view token, Net& net, const bp_loop_service& loops,
              AdminOperations& operations);
  Status listen();

  const std::string listen_;
  const AdminToken token_;
  NetUser net_;
  const bp_loop_service& loops_;
  AdminOperations& operations_;
  bp_listener* listener_ = nullptr;
  std::uint32_t port_ = 0;
  std::atomic<bool> draining_{false};
};

}  // namespace backplane
