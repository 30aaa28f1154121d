// SPDX-License-Identifier: Apache-2.0
// Subcommands that plugins bring (<backplane/command.h>), found by the manifests of the folders
// that deployments use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace backplane::cli {

struct PluginCommand {
  std::string name;
  std::string about;  // or why its plugin cannot be used
};

// By name, but for those in `own`, which stand before. Loads each plugin that has commands.
std::vector<PluginCommand> plugin_commands(const std::vector<std::string>& own);

// Loads the one plugin that has the command and runs it; the exit status of the program. `own` are
// the names to guess at where there is no such command.
int run_plugin_command(std::string_view name, const std::vector<std::string>& arguments,
                       const std::vector<std::string>& own);

}  // namespace backplane::cli
