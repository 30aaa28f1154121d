// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "runtime/net/http.hpp"

namespace backplane {

namespace {

constexpr std::size_t kHostMaxBytes = 253;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

Error bad_url(const char* reason) {
  return invalid_argument(std::string("the URL ") + reason +
                          "; write it as https://host[:port]/path?query");
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  const auto same = [](char left, char right) {
    return (left >= 'A' && left <= 'Z' ? left + ('a' - 'A') : left) == right;
  };
  return text.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(),
                    [&](char right, char left) { return same(left, right); });
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= kHostMaxBytes &&
         std::all_of(host.begin(), host.end(), is_name_character);
}

bool is_ipv6(std::string_view host) {
  in6_addr address{};
  return host.size() < INET6_ADDRSTRLEN &&
         inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

bool read_port(std::string_view digits, std::uint16_t& port) {
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size() && port != 0;
}

// Splits "host", "host:port", "[v6]" and "[v6]:port".
bool read_authority(Url& url) {
  std::string_view rest = url.authority;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || !is_ipv6(rest.substr(1, end - 1))) return false;
    url.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    url.host = rest.substr(0, rest.find(':'));
    if (!is_host_name(url.host)) return false;
    rest.remove_prefix(url.host.size());
  }
  return rest.empty() || (rest.front() == ':' && read_port(rest.substr(1), url.port));
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlMaxBytes) return bad_url("is longer than 8 KiB");
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  if (!std::all_of(text.begin(), text.end(), visible)) {
    return bad_url("has a character that must be escaped");
  }
  Url url;
  std::size_t begin = 0;
  if (starts_with_scheme(text, "https://")) {
    url.tls = true;
    url.port = kHttpsPort;
    begin = 8;
  } else if (starts_with_scheme(text, "http://")) {
    url.port = kHttpPort;
    begin = 7;
  } else {
    return bad_url("is neither http:// nor https://");
  }
  const std::size_t end =
      std::min({text.find('/', begin), text.find('?', begin), text.find('#', begin), text.size()});
  url.authority = text.substr(begin, end - begin);
  url.origin = text.substr(0, end);
  if (url.authority.find('@') != std::string_view::npos) {
    return bad_url("has user information: send credentials in a header");
  }
  if (!read_authority(url)) return bad_url("has no valid host and port");
  url.target = text.substr(end, text.find('#', end) - end);
  return url;
}

}  // namespace backplane
