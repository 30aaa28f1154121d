// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/catalog.hpp"

#include "runtime/plugin/descriptor.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/preflight.hpp"
#include "runtime/plugin/version.hpp"

#include <algorithm>
#include <numeric>

namespace backplane {
namespace {

// Levenshtein's distance, in bytes.
std::size_t distance_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, changed}));
    }
  }
  return row.back();
}

Error not_found_error(std::string message) {
  return {Code::kNotFound, std::move(message), {}, 0, 0};
}

Status check_allowed(const PluginInfo& info, const LoadRules& rules) {
  const std::vector<std::string>& allowed = rules.allowed_sha256;
  if (allowed.empty() ||
      std::find(allowed.begin(), allowed.end(), info.manifest.sha256) != allowed.end()) {
    return ok();
  }
  return Error{Code::kPermissionDenied,
               info.path.string() + ": its sha256 " + info.manifest.sha256 +
                   " is not in the deployment's list of allowed files; add it if you trust it",
               {},
               0,
               0};
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
  const Result<PluginReference> reference = parse_reference(uses);
  if (!reference) return reference.error();
  for (const PluginInfo& info : found_.plugins) {
    if (info.manifest.kind != kind || info.manifest.name != reference->name) continue;
    const std::optional<Version> version = parse_version(info.manifest.version);
    if (version && reference->accepts(*version)) return &info;
    return not_found_error(std::string(name_of(kind)) + " plugin \"" + reference->name +
                           "\" is version " + info.manifest.version + ", wanted " +
                           reference->range + " (" + info.path.string() +
                           "); install another version or change uses");
  }
  return not_found(kind, reference->name);
}

Result<const PluginInfo*> PluginCatalog::not_found(PluginKind kind, const std::string& name) const {
  const std::string kind_name(name_of(kind));
  const std::string* closest = nullptr;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  std::string available;
  for (const PluginInfo& info : found_.plugins) {
    const std::string& other = info.manifest.name;
    if (info.manifest.kind != kind) {
      if (other != name) continue;
      return not_found_error("there is no " + kind_name + " plugin \"" + name + "\"; it is a " +
                             std::string(name_of(info.manifest.kind)) + " plugin");
    }
    available += (available.empty() ? "" : ", ") + other;
    if (const std::size_t distance = distance_between(name, other); distance < least) {
      least = distance;
      closest = &other;
    }
  }
  std::string message = "there is no " + kind_name + " plugin \"" + name + "\"";
  if (closest != nullptr) {
    message += "; did you mean \"" + *closest + "\"? There are: " + available;
  } else {
    message += available.empty() ? "; none is in the plugin path" : "; there are: " + available;
  }
  return not_found_error(std::move(message));
}

Result<const bp_plugin*> PluginCatalog::load(const PluginInfo& info, const bp_host* host,
                                             const LoadRules& rules) {
  const std::string file = info.path.string();
  if (Status status = check_file(info, rules); !status) return status.error();
  Result<const bp_plugin*> plugin = open_plugin(info.path, host);
  if (!plugin) return plugin;
  if (Status status = check_against(file, **plugin, info.manifest); !status) return status.error();
  if (Status status = check_table(file, **plugin, info.manifest.kind); !status) {
    return status.error();
  }
  return plugin;
}

}  // namespace backplane
