// SPDX-License-Identifier: Apache-2.0
// The head of a response, however it will be framed.
#pragma once

#include <backplane/abi.h>

#include <string>
#include <string_view>

namespace backplane::http {

struct ResponseHead {
  std::uint32_t status = 200;
  std::string_view date;  // a whole header line
  std::string_view request_id;
  std::string_view content_type;  // empty: there is no content
  std::string_view extra;         // whole header lines
  std::uint64_t length = BP_SIZE_UNKNOWN;
};

// Appends the line of a header that a host or a backend asks for. Those of the message's framing
// and of the connection, those the transport sets itself, and those that are no valid header are
// left out.
void append_foreign_header(std::string& lines, const bp_pair& header);

}  // namespace backplane::http
