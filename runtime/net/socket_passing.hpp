// SPDX-License-Identifier: Apache-2.0
// Listening sockets on their way from one process to another, over a connected Unix stream socket
// (SCM_RIGHTS, unix(7)). Both block, with a bound. [any-thread]
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/net/listening_socket.hpp"

namespace backplane {

inline constexpr std::uint64_t kSocketPassingTimeoutMs = 10'000;  // for all of it
inline constexpr std::size_t kPassedDescriptorsMax = 4'096;       // more are refused

// Both processes have the sockets once it returns; closing them here takes nothing from the other.
Status send_sockets(int unix_fd, std::span<const ListeningSockets> sockets,
                    std::uint64_t timeout_ms = kSocketPassingTimeoutMs);

// The descriptors are the caller's, as Net::adopt takes them. Refuses, and closes, what is no
// listening socket of the address it comes with.
Result<std::vector<ListeningSockets>> receive_sockets(
    int unix_fd, std::uint64_t timeout_ms = kSocketPassingTimeoutMs);

}  // namespace backplane
