// SPDX-License-Identifier: Apache-2.0
// One GET over the host's client, gathered. [loop] all of it.
#pragma once

#include "common/upstream.hpp"

#include <backplane/plugin.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

struct HttpReply {
  std::uint32_t status = 0;
  std::vector<Header> headers;  // names in lower case
  std::string body;

  // Empty: it has none of that name.
  std::string_view header(std::string_view name) const;
};

class HttpGet {
 public:
  // Called once, never from inside send, and not after the destructor; it may destroy its HttpGet.
  // Errors: UNAVAILABLE, with a status of 502, whatever broke.
  using Done = std::function<void(Result<HttpReply>)>;

  struct Limits {
    std::size_t body_max_bytes;
    std::uint32_t timeout_ms;  // of all of it
  };

  explicit HttpGet(const Services& services) : http_(services.http) {}
  // Cancels what is under way.
  ~HttpGet();
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;

  // Once. Fails, and never calls `done`, when the host refuses the request.
  Status send(bp_loop* loop, std::string_view url, const std::vector<Header>& headers,
              const Limits& limits, Done done);

 private:
  void take_head(std::uint32_t status, std::span<const bp_pair> headers);
  std::uint32_t take_data(std::string_view bytes);
  void finish(Result<HttpReply> result);

  static HttpGet& self(void* context) { return *static_cast<HttpGet*>(context); }
  static const bp_http_handler kHandler;

  const bp_http* http_;
  bp_http_exchange* exchange_ = nullptr;  // null: none, or it has ended
  std::size_t body_max_bytes_ = 0;
  HttpReply reply_;
  Done done_;
};

}  // namespace backplane::dialect
