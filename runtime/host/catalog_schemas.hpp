// SPDX-License-Identifier: Apache-2.0
// Lets the deployment file's checker ask the plugin folders what there is and what it takes.
#pragma once

#include "runtime/config/schema_source.hpp"
#include "runtime/plugin/catalog.hpp"

namespace backplane {

class CatalogSchemas final : public config::SchemaSource {
 public:
  Result<config::PluginSchema> find(config::PluginKind kind, const config::Requirement& requirement,
                                    const config::PluginSearch& search) const override;
  std::vector<config::PluginSchema> all(const config::PluginSearch& search) const override;
};

// The plugins of the folders that a deployment names, then of those beside the runtime.
PluginCatalog catalog_of(const config::PluginSearch& search);

}  // namespace backplane
