// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/listen_address.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <system_error>

namespace backplane {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error bad_address(std::string_view text) {
  return invalid_argument("cannot listen on \"" + std::string(text.substr(0, 64)) +
                          "\": write an IP address and a port, such as 127.0.0.1:8080 or "
                          "[::]:8080, or the path of a Unix socket, such as unix:/run/backplane");
}

Result<SocketAddress> parse_ip(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) {
    return bad_address(text);
  }
  std::string host(text.substr(0, colon));
  SocketAddress address{};
  std::memset(&address, 0, sizeof(address));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    address.v6.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) != 1) return bad_address(text);
  } else {
    address.v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) != 1) return bad_address(text);
  }
  set_port(address, port);
  return address;
}

Result<ListenAddress> parse_unix(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return bad_address(kUnixPrefix);
  if (path.size() > kUnixPathMaxBytes) {
    return invalid_argument("cannot listen on \"unix:" + std::string(path.substr(0, 64)) +
                            "...\": the path of a Unix socket has at most " +
                            std::to_string(kUnixPathMaxBytes) + " bytes; choose a shorter one");
  }
  return ListenAddress{{}, std::string(path)};
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  const auto ip = parse_ip(text);
  if (!ip) return ip.error();
  return ListenAddress{*ip, {}};
}

std::string text_of(const ListenAddress& address) {
  if (address.is_unix()) return std::string(kUnixPrefix) + address.unix_path;
  return text_of(address.ip);
}

}  // namespace backplane
