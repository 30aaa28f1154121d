// SPDX-License-Identifier: Apache-2.0
#include "cors.hpp"

#include "json_text.hpp"
#include "token.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kMaxRequestedBytes = 4096;
// "*" would stand for itself alone where there are credentials.
constexpr std::string_view kExposeAny = "access-control-expose-headers: *\r\n";
constexpr std::string_view kExposed =
    "access-control-expose-headers: x-request-id, retry-after, retry-after-ms, x-should-retry, "
    "payment-required, payment-response, x-payment-response\r\n";

// A list of field names is given back as it came; anything else is not.
bool is_name_list(std::string_view value) {
  return value.size() <= kMaxRequestedBytes && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) {
           return is_token_character(c) || c == ',' || c == ' ' || c == '\t';
         });
}

}  // namespace

bool CorsPolicy::allows(std::string_view origin) const {
  return !origin.empty() &&
         (any() || std::find(origins.begin(), origins.end(), origin) != origins.end());
}

void append_cors(std::string& lines, const CorsPolicy& policy, std::string_view origin) {
  if (!policy.enabled()) return;
  if (!policy.any()) lines += "vary: origin\r\n";
  if (!policy.allows(origin)) return;
  lines += "access-control-allow-origin: ";
  lines += policy.any() ? "*" : origin;
  lines += "\r\n";
  if (policy.credentials) lines += "access-control-allow-credentials: true\r\n";
  lines += policy.credentials ? kExposed : kExposeAny;
}

void append_preflight(std::string& lines, const CorsPolicy& policy, const RequestHead& head,
                      std::string_view allow) {
  if (!policy.allows(head.origin) || head.requested_method.empty()) return;
  lines += "vary: access-control-request-headers\r\naccess-control-allow-methods: ";
  lines += allow;
  if (is_name_list(head.requested_headers)) {
    lines += "\r\naccess-control-allow-headers: ";
    lines += head.requested_headers;
  }
  lines += "\r\naccess-control-max-age: ";
  append_number(lines, policy.max_age_s);
  lines += "\r\n";
}

}  // namespace backplane::http
