// SPDX-License-Identifier: Apache-2.0
// The status line and headers of a response in HTTP/1.1.
#pragma once

#include "response.hpp"

namespace backplane::http {

enum class BodyFraming { kLength, kChunked, kUntilClose };

void append_http1_head(std::string& out, const ResponseHead& head, BodyFraming framing,
                       bool keep_alive);

}  // namespace backplane::http
