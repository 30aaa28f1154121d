// SPDX-License-Identifier: Apache-2.0
// What `backplane plugin list | info FILE | check FILE` print, and how they exit: 0 good, 1 the
// plugin has faults, 2 the file cannot be read. None runs plugin code in this process.
#pragma once

#include "runtime/plugin/catalog.hpp"
#include "runtime/plugin/check/check.hpp"

#include <filesystem>
#include <string>

namespace backplane {

struct CommandOutput {
  std::string text;      // for standard output
  std::string warnings;  // for standard error, one a line
  int exit_code = 0;
};

CommandOutput list_plugins(const PluginCatalog& catalog, bool json);
CommandOutput describe_plugin_file(const std::filesystem::path& file, bool json);
CommandOutput check_plugin_file(const std::filesystem::path& file, const CheckOptions& options,
                                bool json);

}  // namespace backplane
