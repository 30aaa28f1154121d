// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/catalog_schemas.hpp"

#include "runtime/plugin/descriptor.hpp"
#include "runtime/plugin/file.hpp"

namespace backplane {
namespace {

config::PluginKind kind_of(PluginKind kind) {
  if (kind == PluginKind::kBackend) return config::PluginKind::kBackend;
  if (kind == PluginKind::kTransport) return config::PluginKind::kTransport;
  return config::PluginKind::kPayment;
}

}  // namespace

PluginCatalog catalog_of(const config::PluginSearch& search) {
  const std::vector<std::filesystem::path> folders(search.folders.begin(), search.folders.end());
  return PluginCatalog::discover(plugin_search_path(folders));
}

Result<config::PluginSchema> CatalogSchemas::find(config::PluginKind kind,
                                                  const config::Requirement& requirement,
                                                  const config::PluginSearch& search) const {
  return config::choose_plugin(all(search), kind, requirement);
}

std::vector<config::PluginSchema> CatalogSchemas::all(const config::PluginSearch& search) const {
  std::vector<config::PluginSchema> schemas;
  const PluginCatalog catalog = catalog_of(search);
  for (const PluginInfo& info : catalog.all()) {
    Result<std::string> schema = read_small_file(info.schema_path, kSchemaBytesMax);
    if (!schema) continue;
    schemas.push_back({kind_of(info.manifest.kind), info.manifest.name, info.manifest.version,
                       std::move(*schema)});
  }
  return schemas;
}

}  // namespace backplane
