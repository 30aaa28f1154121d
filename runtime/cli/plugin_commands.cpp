// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/plugin_commands.hpp"

#include "runtime/config/suggestion.hpp"
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/plugin/command_table.hpp"
#include "runtime/services/clock.hpp"
#include "runtime/services/instance_host.hpp"
#include "runtime/services/logger.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <iostream>

namespace backplane::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

// What a command sees of the host: bp.log and bp.clock. Lives as long as the plugin, for ever.
const bp_host* command_host() {
  static Logger logger(LogLevel::kInfo, LogFormat::kText);
  static const InstanceHost* const host = [] {
    SharedServices services;
    services.clock = system_clock();
    services.logger = &logger;
    return new InstanceHost("command", services);
  }();
  return host->table();
}

std::string about(const PluginInfo& info, const std::string& name) {
  const Result<const bp_plugin*> plugin = PluginCatalog::load(info, command_host());
  if (!plugin) return "cannot be used: " + plugin.error().message;
  return std::string(view(find_command(**plugin, name)->about));
}

int unknown(std::string_view name, const Error& error, const PluginCatalog& catalog,
            std::vector<std::string> names) {
  if (error.code != Code::kNotFound) {
    std::cerr << "backplane: " << error.message << '\n';
    return kFailed;
  }
  for (const PluginInfo& info : catalog.all()) {
    const std::vector<std::string>& commands = info.manifest.commands;
    names.insert(names.end(), commands.begin(), commands.end());
  }
  std::sort(names.begin(), names.end());
  std::cerr << "backplane: no command " << config::quote(name) << "; there are "
            << config::list_names(names) << config::did_you_mean(name, names) << '\n';
  return kWrongUsage;
}

int run(const bp_command& command, const std::vector<std::string>& arguments) {
  std::vector<bp_str> texts;
  for (const std::string& argument : arguments) texts.push_back(str(argument));
  const std::uint32_t status = command.run(command_host(), texts.data(), texts.size());
  std::cout.flush();
  return status > kWrongUsage ? kFailed : static_cast<int>(status);
}

}  // namespace

std::vector<PluginCommand> plugin_commands(const std::vector<std::string>& own) {
  const PluginCatalog catalog = catalog_of({});
  std::vector<PluginCommand> commands;
  for (const PluginInfo& info : catalog.all()) {
    for (const std::string& name : info.manifest.commands) {
      if (std::find(own.begin(), own.end(), name) != own.end()) continue;
      const bool alone = bool(catalog.find_command(name));
      commands.push_back({name, alone ? about(info, name) : "is in several plugins"});
    }
  }
  std::stable_sort(commands.begin(), commands.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto same = [](const auto& a, const auto& b) { return a.name == b.name; };
  commands.erase(std::unique(commands.begin(), commands.end(), same), commands.end());
  return commands;
}

int run_plugin_command(std::string_view name, const std::vector<std::string>& arguments,
                       const std::vector<std::string>& own) {
  const PluginCatalog catalog = catalog_of({});
  const Result<const PluginInfo*> info = catalog.find_command(name);
  if (!info) return unknown(name, info.error(), catalog, own);
  const Result<const bp_plugin*> plugin = PluginCatalog::load(**info, command_host());
  if (!plugin) {
    std::cerr << "backplane: " << plugin.error().message << '\n';
    return kFailed;
  }
  return run(*find_command(**plugin, name), arguments);
}

}  // namespace backplane::cli
