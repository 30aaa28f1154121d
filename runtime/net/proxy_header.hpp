// SPDX-License-Identifier: Apache-2.0
// The header of the PROXY protocol, version 2, as a balancer puts it before a connection
// (haproxy.org, proxy-protocol.txt, section 2.2). A pure function; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/net/socket_address.hpp"

namespace backplane {

// What fits the smallest packet that every host takes, as the specification advises senders.
inline constexpr std::size_t kProxyHeaderMaxBytes = 536;

enum class ProxyVerdict : std::uint8_t {
  kNeedMore,   // a beginning of a header
  kProxied,    // for `source`
  kLocal,      // names nobody: the balancer's own connection, or of a kind it cannot tell
  kMalformed,  // or longer than the bound
};

struct ProxyHeader {
  ProxyVerdict verdict;
  std::size_t size = 0;  // of the whole header; what follows is the connection's
  SocketAddress source{};
};

ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace backplane
