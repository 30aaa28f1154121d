// SPDX-License-Identifier: Apache-2.0
// Listening Unix sockets and their files. [control]
#pragma once

#include <sys/stat.h>

#include <backplane/result.hpp>
#include <string>

namespace backplane {

inline constexpr mode_t kUnixSocketMode = 0660;

// A non-blocking listening socket at `path`, with kUnixSocketMode. A socket at which nothing
// listens any more is replaced; one that is alive, and a file of another kind, is refused.
Result<int> open_unix_socket(const std::string& path);

// Removes the file of a socket at which nothing listens any more; leaves all else alone.
void remove_dead_socket(const std::string& path);

}  // namespace backplane
