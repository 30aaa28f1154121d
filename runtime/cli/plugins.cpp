// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.hpp"
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/plugin/commands.hpp"

#include <iostream>

namespace backplane::cli {
namespace {

int print(const CommandOutput& output) {
  std::cout << output.text;
  std::cerr << output.warnings;
  return output.exit_code;
}

}  // namespace

int plugin_list(bool json) {
  return print(list_plugins(catalog_of({}), json));
}

int plugin_info(const PluginFileOptions& options) {
  return print(describe_plugin_file(options.file, options.json));
}

int plugin_check(const PluginFileOptions& options) {
  backplane::CheckOptions checking;
  checking.settings = options.settings;
  checking.only = options.only;
  return print(check_plugin_file(options.file, checking, options.json));
}

}  // namespace backplane::cli
