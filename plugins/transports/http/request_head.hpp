// SPDX-License-Identifier: Apache-2.0
// What a request's head says, however it was framed.
#pragma once

#include <backplane/plugin.hpp>
#include <backplane/result.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace backplane::http {

// Views are valid as long as the framing says.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view content_type;
  std::string_view request_id;
  std::string_view expect;
  std::string_view accept_encoding;
  std::string_view origin;
  std::string_view requested_method;   // of a preflight
  std::string_view requested_headers;  // likewise
  std::vector<bp_pair> metadata;       // the headers a call takes along
  std::uint64_t content_length = BP_SIZE_UNKNOWN;
  bool has_body = false;
};

// An answer of 400.
Error bad_request(std::string message);

// Notes one field of the head that is not about framing; refuses what may come only once.
std::optional<Error> take_field(RequestHead& head, std::string_view name, std::string_view value);

}  // namespace backplane::http
