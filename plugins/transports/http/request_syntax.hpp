// SPDX-License-Identifier: Apache-2.0
// What a strict reader checks beyond the grammar of a message.
#pragma once

#include <string_view>

namespace backplane::http {

// The value of a Host header: a name or an address, perhaps a port; no user, no path.
bool is_host(std::string_view value);

bool is_target(std::string_view target);

// The request line of `head` ends in a version that is well formed and none of ours.
bool names_other_version(std::string_view head);

// The first line of `text`, but for an empty one before it, is whole and ends within quotes.
bool is_line_in_quotes(std::string_view text);

}  // namespace backplane::http
