// SPDX-License-Identifier: Apache-2.0
// What a listener is told to listen on.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/net/socket_address.hpp"

namespace backplane {

inline constexpr std::size_t kUnixPathMaxBytes = 107;  // what sockaddr_un holds, unix(7)

struct ListenAddress {
  SocketAddress ip;       // of no meaning where there is a path
  std::string unix_path;  // empty: an IP address

  bool is_unix() const { return !unix_path.empty(); }
  bool has_any_port() const { return !is_unix() && port_of(ip) == 0; }
};

// Reads "127.0.0.1:8080", "[::1]:8080" or "unix:PATH".
Result<ListenAddress> parse_listen_address(std::string_view text);
// The same for the same address, however it was written.
std::string text_of(const ListenAddress& address);

}  // namespace backplane
