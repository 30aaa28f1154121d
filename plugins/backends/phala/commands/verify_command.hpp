// SPDX-License-Identifier: Apache-2.0
// `backplane verify`: whether the receipt of a call holds, by nothing but what is in it,
// collateral, and the request and the response where they are at hand.
#pragma once

#include <backplane/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::phala {

// Returns the exit status: 0 accepted, 1 rejected or not to be had, 2 wrong usage.
std::uint32_t run_verify_command(Host host, const std::vector<std::string>& arguments);

}  // namespace backplane::phala
