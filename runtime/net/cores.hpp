// SPDX-License-Identifier: Apache-2.0
// How many cores this process may use. [any-thread]
#pragma once

#include <cstdint>
#include <string>

namespace backplane {

// The lesser of the cores of the affinity mask and the CPU quota of the control groups (versions 1
// and 2, every level up to the root), rounded up; at least 1. `root` is where proc and sys are.
std::uint32_t available_cores(const std::string& root = "/");

}  // namespace backplane
