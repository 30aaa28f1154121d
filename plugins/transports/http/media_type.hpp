// SPDX-License-Identifier: Apache-2.0
// What the media type of a body says (RFC 9110, 8.3.1).
#pragma once

#include <string_view>

namespace backplane::http {

bool is_json(std::string_view content_type);

// Worth compressing: JSON, plain text.
bool is_text(std::string_view content_type);

bool is_form(std::string_view content_type);

// A form without one cannot be read.
bool has_boundary(std::string_view content_type);

}  // namespace backplane::http
