// SPDX-License-Identifier: Apache-2.0
// Headers of the PROXY protocol as a balancer writes them.
#pragma once

#include <string>

namespace backplane::testing {

inline std::string proxy_header(unsigned command, unsigned kind, const std::string& rest) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += static_cast<char>(command);
  header += static_cast<char>(kind);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  return header + rest;
}

// From 192.0.2.7:40000 to 192.0.2.8:443.
inline std::string tcp4_addresses() {
  return std::string("\xc0\x00\x02\x07\xc0\x00\x02\x08\x9c\x40\x01\xbb", 12);
}

}  // namespace backplane::testing
