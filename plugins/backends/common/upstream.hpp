// SPDX-License-Identifier: Apache-2.0
// What the calls of one instance share.
#pragma once

#include "common/services.hpp"
#include "common/upstream_error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::dialect {

// 0: the host's default.
struct Timeouts {
  std::uint32_t connect_ms = 0;
  std::uint32_t first_byte_ms = 0;
  std::uint32_t idle_ms = 0;
  std::uint32_t total_ms = 0;  // the call's deadline holds where it is sooner
};

struct Header {
  std::string name;
  std::string value;
};

// Borrowed until a call's terminal event.
struct Upstream {
  Services services;
  Timeouts timeouts;
  Scrubber scrubber;
  Counter malformed_events;           // of streams, passed on all the same
  std::string_view passed_headers{};  // of responses, for the client; separated by spaces
};

}  // namespace backplane::dialect
