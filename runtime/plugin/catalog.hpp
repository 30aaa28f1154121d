// SPDX-License-Identifier: Apache-2.0
// The plugins of a search path: found by their manifests, loaded when a deployment asks for them.
#pragma once

#include "runtime/plugin/discovery.hpp"

#include <backplane/abi.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

struct LoadRules {
  // The files that may be loaded, by name ("echo.so"), or by folder and name ("backends/echo.so"),
  // each with its sha256 in lower case; empty: any.
  std::map<std::string, std::string, std::less<>> allowed_sha256;
};

// Immutable once made: any thread, but for load. PluginInfo pointers live as long as the catalog.
class PluginCatalog {
 public:
  // Runs no plugin code. Files it passes over are in warnings().
  static PluginCatalog discover(const std::vector<std::filesystem::path>& folders);

  const std::vector<PluginInfo>& all() const { return found_.plugins; }
  const std::vector<std::string>& warnings() const { return found_.warnings; }

  // `uses` as in a deployment: a name, or name@RANGE. NOT_FOUND names what was meant and what there
  // is.
  Result<const PluginInfo*> find(PluginKind kind, std::string_view uses) const;

  // The plugin whose manifest lists this subcommand. NOT_FOUND where none does, FAILED_PRECONDITION
  // where several do, which are named.
  Result<const PluginInfo*> find_command(std::string_view name) const;

  // [control] Checks the file (sha256, ABI, ELF), maps it for the life of the process, calls its
  // entry and checks descriptor, table and commands. Loading a file again gives its descriptor
  // again.
  static Result<const bp_plugin*> load(const PluginInfo& info, const bp_host* host,
                                       const LoadRules& rules = {});

 private:
  Result<const PluginInfo*> not_found(PluginKind kind, const std::string& name) const;

  Discovery found_;
};

}  // namespace backplane
