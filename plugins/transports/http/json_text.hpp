// SPDX-License-Identifier: Apache-2.0
// Text as the inside of a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace backplane::http {

// Appends `utf8` escaped, without quotes.
void append_json_text(std::string& out, std::string_view utf8);

// Appends `utf8` as a JSON string, quotes included.
void append_json_string(std::string& out, std::string_view utf8);

void append_number(std::string& out, std::uint64_t value);

}  // namespace backplane::http
