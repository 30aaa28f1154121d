// SPDX-License-Identifier: Apache-2.0
// The hub that models are pulled from: its addresses, what its refusals mean, and how long to wait
// before asking again.
#pragma once

#include "plugins/backends/local/store/http_client.hpp"
#include "plugins/backends/local/store/hub_listing.hpp"
#include "plugins/backends/local/store/model_source.hpp"

namespace backplane::local {

inline constexpr const char* kDefaultHub = "https://huggingface.co";

// How long to wait before try number `failures` + 1: doubling from half a second to 30 s, or what
// the server asked for.
std::chrono::milliseconds retry_delay(const HttpAnswer& answer, std::size_t failures);
// Whether the same request may be answered later.
bool may_succeed_later(const HttpAnswer& answer);

class Hub {
 public:
  // `url`: without a slash at its end; the client's options name its origin and token.
  Hub(HttpClient& client, std::string url, bool has_token, std::size_t retries,
      std::function<bool()> should_stop)
      : client_(client),
        url_(std::move(url)),
        has_token_(has_token),
        retries_(retries),
        should_stop_(std::move(should_stop)) {}

  Result<std::vector<RemoteFile>> list(const ModelSource& source);
  std::string file_url(const ModelSource& source, std::string_view path) const;
  // Why the hub did not answer with what was asked for, and what to do.
  Error refusal(const ModelSource& source, const std::string& what, const HttpAnswer& answer) const;

 private:
  Result<HttpAnswer> get(const ModelSource& source, const std::string& url, std::string& body);

  HttpClient& client_;
  const std::string url_;
  const bool has_token_;
  const std::size_t retries_;
  const std::function<bool()> should_stop_;
};

}  // namespace backplane::local
