// SPDX-License-Identifier: Apache-2.0
// The subcommands that this plugin brings to the program (<backplane/command.hpp>). Each is called
// with the words after its name and returns the exit status: 0 done, 1 failed, 2 wrong usage.
#pragma once

#include <backplane/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::local {

std::uint32_t run_model_command(Host host, const std::vector<std::string>& arguments);
std::uint32_t run_tokenize_command(Host host, const std::vector<std::string>& arguments);

}  // namespace backplane::local
