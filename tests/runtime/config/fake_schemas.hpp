// SPDX-License-Identifier: Apache-2.0
// A handful of plugins that exist only as schemas.
#pragma once

#include "runtime/config/schema_source.hpp"

namespace backplane::config {

class FakeSchemas final : public SchemaSource {
 public:
  Result<PluginSchema> find(PluginKind kind, const Requirement& requirement,
                            const PluginSearch& search) const override;
  std::vector<PluginSchema> all(const PluginSearch& search) const override;
};

}  // namespace backplane::config
