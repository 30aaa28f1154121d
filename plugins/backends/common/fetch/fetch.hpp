// SPDX-License-Identifier: Apache-2.0
// One GET, awaited: for commands, which have nothing else to do. Any thread.
#pragma once

#include <backplane/result.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace backplane::fetch {

inline constexpr std::size_t kHeaderValueBytesMax = 64 * 1024;
inline constexpr std::size_t kHeadersMax = 128;

struct FetchOptions {
  std::size_t body_bytes_max = 8 * 1024 * 1024;
  long timeout_ms = 60'000;  // of the whole request
};

struct FetchAnswer {
  std::string body;
  std::map<std::string, std::string> headers;  // by names in lower case; of several the last
};

bool is_url(const std::string& text);  // http:// or https://

// At most 5 redirects, from https to https alone. Errors: kUnavailable, for any status but 200 too.
Result<FetchAnswer> fetch(const std::string& url, const FetchOptions& options = {});

}  // namespace backplane::fetch
