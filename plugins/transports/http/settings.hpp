// SPDX-License-Identifier: Apache-2.0
// The instance's settings; schema.json tells what each is.
#pragma once

#include "cors.hpp"

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::http {

struct Settings {
  std::string listen;
  std::string tls_certificate;
  std::string tls_key;
  bool http2 = true;
  bool proxy_protocol = false;
  bool metrics = true;
  CorsPolicy cors;
  std::uint64_t compress_min_bytes = 0;  // 0: never
  std::uint32_t max_connections = 0;
  std::uint32_t max_streams = 128;
  std::uint32_t max_header_bytes = 32768;
  std::uint32_t max_headers = 100;
  std::uint64_t max_body_bytes = 16777216;
  std::uint64_t max_held_body_bytes = 1073741824;
  std::uint64_t header_timeout_ms = 10000;
  std::uint64_t body_timeout_ms = 60000;
  std::uint64_t min_body_rate = 500;
  std::uint64_t keep_alive_ms = 75000;
  std::uint64_t write_timeout_ms = 60000;
  std::uint32_t min_write_rate = 100;
};

// `text` is valid by the schema.
Result<Settings> read_settings(std::string_view text);

}  // namespace backplane::http
