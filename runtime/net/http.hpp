// SPDX-License-Identifier: Apache-2.0
// bp.http/1: the HTTP/1.1 client of one runtime: per loop a pool of kept-alive connections for
// every host, TLS with verification, timeouts, back-pressure, bounds.
//
// A kept connection that the peer has closed before the first byte of a response is not the
// request's fault: the request is sent once more, on a new connection. A request with a body_stream
// has a new connection from the start and is sent once.
#pragma once

#include <backplane/http.h>

#include <backplane/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/net/http_counts.hpp"
#include "runtime/net/loop.hpp"
#include "runtime/net/tls.hpp"

namespace backplane {

inline constexpr std::uint32_t kConnectTimeoutDefaultMs = 10'000;
inline constexpr std::uint32_t kFirstByteTimeoutDefaultMs = 300'000;
inline constexpr std::uint32_t kBodyIdleTimeoutDefaultMs = 120'000;
inline constexpr std::size_t kUrlMaxBytes = 8 * 1024;
inline constexpr std::size_t kRequestHeadMaxBytes = 64 * 1024;
inline constexpr std::size_t kResponseHeadMaxBytes = 64 * 1024;
inline constexpr std::size_t kIdlePerHostMax = 64;             // of one loop
inline constexpr std::size_t kConnectionsPerHostMax = 16'384;  // of one loop
inline constexpr std::size_t kWaitingPerHostMax = 10'000;      // of one loop; more fail at once
inline constexpr std::uint64_t kIdleConnectionMs = 30'000;
inline constexpr std::uint64_t kAddressLifetimeMs = 30'000;

struct HttpClientOptions {
  std::string ca_file;  // PEM, trusted besides the system's authorities; empty: none
  std::size_t connections_per_host_max = kConnectionsPerHostMax;
};

class LoopHttp;
class Resolver;

class HttpClient {
 public:
  // `loops` must outlive this object. Fails if the authorities cannot be read. [control]
  static Result<std::unique_ptr<HttpClient>> create(Loops& loops, const HttpClientOptions& options);
  // Exchanges that still run are dropped without a word. [control] not from a loop's thread
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Lives as long as this object. [any-thread]
  const bp_http* table() const { return &table_; }

  // Over all loops. [any-thread]
  std::int64_t count(LoopCount HttpCounts::*which) const;

  // Null unless it is the calling thread's loop and one of ours.
  LoopHttp* of(bp_loop* loop) const;

 private:
  HttpClient(Loops& loops, TlsContext tls, std::size_t connections_per_host_max);

  const TlsContext tls_;
  std::unique_ptr<Resolver> resolver_;
  std::vector<std::unique_ptr<LoopHttp>> loop_https_;
  bp_http table_{};
};

}  // namespace backplane
