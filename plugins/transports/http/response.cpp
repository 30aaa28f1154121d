// SPDX-License-Identifier: Apache-2.0
#include "response.hpp"

#include "token.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <array>

namespace backplane::http {
namespace {

constexpr std::size_t kMaxForeignBytes = 8192;  // name and value of one header

constexpr std::array<std::string_view, 18> kOwnHeaders = {"connection",
                                                          "content-length",
                                                          "content-type",
                                                          "date",
                                                          "keep-alive",
                                                          "te",
                                                          "trailer",
                                                          "transfer-encoding",
                                                          "upgrade",
                                                          "x-request-id",
                                                          "retry-after",
                                                          "retry-after-ms",
                                                          "x-should-retry",
                                                          "proxy-connection",
                                                          "content-encoding",
                                                          "access-control-allow-origin",
                                                          "access-control-allow-credentials",
                                                          "access-control-expose-headers"};

bool is_own(std::string_view name) {
  return std::any_of(kOwnHeaders.begin(), kOwnHeaders.end(),
                     [&](std::string_view own) { return same_token(own, name); });
}

}  // namespace

void append_foreign_header(std::string& lines, const bp_pair& header) {
  const std::string_view name = view(header.name);
  const std::string_view value = view(header.value);
  if (!is_token(name) || !is_field_value(value) || is_own(name)) return;
  if (name.size() + value.size() > kMaxForeignBytes) return;
  lines += name;
  lines += ": ";
  lines += value;
  lines += "\r\n";
}

}  // namespace backplane::http
