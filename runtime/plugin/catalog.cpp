// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/catalog.hpp"

#include "runtime/config/requirement.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/plugin/command_table.hpp"
#include "runtime/plugin/descriptor.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/preflight.hpp"

#include <algorithm>

namespace backplane {
namespace {

Error not_found_error(std::string message) {
  return {Code::kNotFound, std::move(message), {}, 0, 0};
}

Error not_allowed(const PluginInfo& info, const std::string& why) {
  return {Code::kPermissionDenied,
          info.path.string() + ": its sha256 " + info.manifest.sha256 + why + " plugins.sha256",
          {},
          0,
          0};
}

Status check_allowed(const PluginInfo& info, const LoadRules& rules) {
  if (rules.allowed_sha256.empty()) return ok();
  const std::string name = info.path.filename().string();
  const std::string folder = info.path.parent_path().filename().string();
  auto allowed = rules.allowed_sha256.find(folder + '/' + name);
  if (allowed == rules.allowed_sha256.end()) allowed = rules.allowed_sha256.find(name);
  if (allowed == rules.allowed_sha256.end()) {
    return not_allowed(info,
                       " is not allowed; if you trust it, add " + config::quote(name) + " to");
  }
  if (allowed->second == info.manifest.sha256) return ok();
  return not_allowed(
      info, " is not that of " + config::quote(allowed->first) + "; if you trust it, correct");
}

Status check_file(const PluginInfo& info, const LoadRules& rules) {
  const std::string file = info.path.string();
  const std::string_view wanted = interface_of(info.manifest.kind);
  if (Status status = check_sha256(info.path, info.manifest); !status) return status;
  if (Status status = check_allowed(info, rules); !status) return status;
  const Result<ElfReport> report = read_elf(info.path);
  if (!report) return report.error();
  if (Status status = check_elf(file, *report); !status) return status;
  if (Status status = check_abi(file, info.manifest.abi, runtime_abi()); !status) return status;
  if (info.manifest.interface != wanted) {
    return Error{Code::kFailedPrecondition,
                 file + ": offers " + info.manifest.interface + "; this runtime speaks " +
                     std::string(wanted) + "; rebuild it with the backplane-sdk of this runtime",
                 {},
                 0,
                 0};
  }
  return ok();
}

}  // namespace

PluginCatalog PluginCatalog::discover(const std::vector<std::filesystem::path>& folders) {
  PluginCatalog catalog;
  catalog.found_ = discover_plugins(folders);
  return catalog;
}

Result<const PluginInfo*> PluginCatalog::find(PluginKind kind, std::string_view uses) const {
  const Result<config::Requirement> wanted = config::parse_requirement(uses);
  if (!wanted) return wanted.error();
  for (const PluginInfo& info : found_.plugins) {
    if (info.manifest.kind != kind || info.manifest.name != wanted->name) continue;
    const Result<config::Version> version = config::parse_version(info.manifest.version);
    if (version && wanted->accepts(*version)) return &info;
    return not_found_error(std::string(name_of(kind)) + " plugin " + config::quote(wanted->name) +
                           " is version " + info.manifest.version + ", wanted " + wanted->range +
                           " (" + info.path.string() + "); install another version or change uses");
  }
  return not_found(kind, wanted->name);
}

Result<const PluginInfo*> PluginCatalog::not_found(PluginKind kind, const std::string& name) const {
  const std::string what = "no " + std::string(name_of(kind)) + " plugin " + config::quote(name);
  std::vector<std::string> names;
  for (const PluginInfo& info : found_.plugins) {
    if (info.manifest.kind == kind) {
      names.push_back(info.manifest.name);
    } else if (info.manifest.name == name) {
      return not_found_error(what + "; it is a " + std::string(name_of(info.manifest.kind)) +
                             " plugin");
    }
  }
  return not_found_error(what + "; available are " + config::list_names(names) +
                         config::did_you_mean(name, names));
}

Result<const PluginInfo*> PluginCatalog::find_command(std::string_view name) const {
  const PluginInfo* found = nullptr;
  std::vector<std::string> names;
  for (const PluginInfo& info : found_.plugins) {
    const std::vector<std::string>& commands = info.manifest.commands;
    names.insert(names.end(), commands.begin(), commands.end());
    if (std::find(commands.begin(), commands.end(), name) == commands.end()) continue;
    if (found != nullptr) {
      return Error{Code::kFailedPrecondition,
                   "command " + config::quote(name) + " is in two plugins, " +
                       found->path.string() + " and " + info.path.string() + "; remove one of them",
                   {},
                   0,
                   0};
    }
    found = &info;
  }
  if (found != nullptr) return found;
  return not_found_error("no command " + config::quote(name) + config::did_you_mean(name, names));
}

Result<const bp_plugin*> PluginCatalog::load(const PluginInfo& info, const bp_host* host,
                                             const LoadRules& rules) {
  const std::string file = info.path.string();
  if (Status status = check_file(info, rules); !status) return status.error();
  Result<const bp_plugin*> plugin = open_plugin(info.path, info.manifest.sha256, host);
  if (!plugin) return plugin;
  if (Status status = check_against(file, **plugin, info.manifest); !status) return status.error();
  if (Status status = check_table(file, **plugin, info.manifest.kind); !status) {
    return status.error();
  }
  if (Status status = check_commands(file, **plugin, info.manifest); !status) {
    return status.error();
  }
  return plugin;
}

}  // namespace backplane
