// SPDX-License-Identifier: Apache-2.0
// Absolute http and https URLs (RFC 3986, RFC 9110 section 4.2).
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string_view>

namespace backplane {

// Views into the text it was read from.
struct Url {
  bool tls = false;
  std::uint16_t port = 0;
  std::string_view host;       // without brackets
  std::string_view authority;  // as written: what the Host header says
  std::string_view origin;     // scheme and authority, as written
  std::string_view target;     // path and query; may lack the leading slash
};

// Refuses other schemes, user information, characters that must be escaped, and more than
// kUrlMaxBytes. A fragment is left out. The message does not repeat the URL.
Result<Url> parse_url(std::string_view text);

}  // namespace backplane
