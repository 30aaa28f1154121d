// SPDX-License-Identifier: Apache-2.0
// `backplane attest`: the verdict on any report or quote, from a file or from whom it is about.
#pragma once

#include <backplane/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::phala {

// Returns the exit status: 0 accepted, 1 rejected or not to be had, 2 wrong usage.
std::uint32_t run_attest_command(Host host, const std::vector<std::string>& arguments);

}  // namespace backplane::phala
