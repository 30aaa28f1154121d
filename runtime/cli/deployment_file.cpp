// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/deployment_file.hpp"

#include "runtime/host/catalog_schemas.hpp"

#include <iostream>

namespace backplane::cli {

std::optional<config::Deployment> load_deployment(const std::string& file,
                                                  const config::LoadOptions& options) {
  config::LoadResult loaded = config::load(file, CatalogSchemas(), options);
  for (const config::Diagnostic& warning : loaded.warnings) {
    std::cerr << "warning: " << config::format(warning) << '\n';
  }
  for (const config::Diagnostic& error : loaded.errors) std::cerr << config::format(error) << '\n';
  return std::move(loaded.deployment);
}

}  // namespace backplane::cli
