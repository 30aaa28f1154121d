// SPDX-License-Identifier: Apache-2.0
// The status line and headers of a response.
#pragma once

#include <backplane/abi.h>

#include <string>
#include <string_view>

namespace backplane::http {

enum class Framing { kLength, kChunked, kUntilClose };

struct ResponseHead {
  std::uint32_t status = 200;
  std::string_view date;  // a whole header line
  std::string_view request_id;
  std::string_view content_type;
  std::string_view extra;  // whole header lines
  Framing framing = Framing::kLength;
  std::uint64_t length = 0;  // with kLength
  bool keep_alive = true;
};

void append_head(std::string& out, const ResponseHead& head);

// Appends the line of a header that a host or a backend asks for. Those of the message's framing
// and of the connection, those the transport sets itself, and those that are no valid header are
// left out.
void append_foreign_header(std::string& lines, const bp_pair& header);

}  // namespace backplane::http
