// SPDX-License-Identifier: Apache-2.0
// Which pages of other origins may read the answers (fetch.spec.whatwg.org, CORS protocol).
#pragma once

#include "request_head.hpp"

#include <string>
#include <vector>

namespace backplane::http {

struct CorsPolicy {
  std::vector<std::string> origins;  // "https://app.example"; "*" alone: any; empty: none
  std::uint64_t max_age_s = 600;
  bool credentials = false;

  bool enabled() const { return !origins.empty(); }
  bool any() const { return enabled() && origins.front() == "*"; }
  bool allows(std::string_view origin) const;
};

// Appends what each response says, also one that is an error.
void append_cors(std::string& lines, const CorsPolicy& policy, std::string_view origin);

// Appends what the answer to a preflight says besides. `allow` are the methods of the path.
void append_preflight(std::string& lines, const CorsPolicy& policy, const RequestHead& head,
                      std::string_view allow);

}  // namespace backplane::http
