// SPDX-License-Identifier: Apache-2.0
// Reading files from outside: bounded, and with messages that say what is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backplane/result.hpp"

namespace backplane::config {

inline constexpr std::size_t kDocumentMaxBytes = std::size_t{1} << 20;

// The whole file. Fails for what is missing, not a regular file, unreadable or longer than
// `max_bytes`; the message does not name the path.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

// Offset of the first byte that is no UTF-8 or a control character other than tab and line break;
// npos when all is text.
std::size_t find_non_text(std::string_view text);

// Where a relative `path` written in `file` points.
std::string resolve_beside(const std::string& file, const std::string& path);

}  // namespace backplane::config
