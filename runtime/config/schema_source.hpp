// SPDX-License-Identifier: Apache-2.0
// Where the loader learns which plugins there are and what settings they take. The runtime
// implements it over its plugin folders; the loader itself knows no plugin by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/result.hpp"
#include "runtime/config/requirement.hpp"

namespace backplane::config {

enum class PluginKind : std::uint8_t { kBackend, kTransport, kPayment, kService };

// "backend", ...
std::string_view name_of(PluginKind kind);

struct PluginSchema {
  PluginKind kind = PluginKind::kBackend;
  std::string name;
  std::string version;
  std::string schema;  // JSON Schema text of its settings; empty: an object with no keys
};

// The deployment's `plugins` section.
struct PluginSearch {
  std::vector<std::string> folders;                          // searched in this order
  std::vector<std::pair<std::string, std::string>> digests;  // file name, SHA-256 in hex
};

// The settings schema of `plugin`, never empty; borrowed from it.
std::string_view settings_schema(const PluginSchema& plugin);

class SchemaSource {
 public:
  virtual ~SchemaSource() = default;

  // The newest plugin that meets `requirement`. The error names the plugins of that kind there are
  // and, where one is near, the name that was probably meant; choose_plugin writes it.
  virtual Result<PluginSchema> find(PluginKind kind, const Requirement& requirement,
                                    const PluginSearch& search) const = 0;

  // Every plugin there is, for editors.
  virtual std::vector<PluginSchema> all(const PluginSearch& search) const = 0;
};

// What `find` does for a source that can list its plugins.
Result<PluginSchema> choose_plugin(const std::vector<PluginSchema>& plugins, PluginKind kind,
                                   const Requirement& requirement);

}  // namespace backplane::config
