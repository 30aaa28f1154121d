// SPDX-License-Identifier: Apache-2.0
// The head of a request (RFC 9112).
#pragma once

#include <backplane/http.h>

#include <backplane/result.hpp>
#include <string>

#include "runtime/net/http_url.hpp"

namespace backplane {

// Writes the head of `request` to `url` into `head`. Refuses a method or header that is not valid,
// headers that are the host's own, and more than kRequestHeadMaxBytes.
Status write_head(const bp_http_request& request, const Url& url, std::string& head);

// Of `body`, without what is on its way.
std::uint64_t size_of_body(const bp_http_request& request);

}  // namespace backplane
