// SPDX-License-Identifier: Apache-2.0
// From a file to a Deployment. Reads the file, what it includes, what it refers to; changes
// nothing. Any thread; blocks on the disk, so never from an event loop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/config/deployment.hpp"
#include "runtime/config/diagnostic.hpp"
#include "runtime/config/reference.hpp"
#include "runtime/config/schema_source.hpp"

namespace backplane::config {

struct LoadOptions {
  // Check everything but the values of {env: X} and {file: PATH}; the deployment that results is
  // good for explain, not for serving.
  bool no_env = false;
  Environment environment = process_environment;
};

// A deployment, or at least one error.
struct LoadResult {
  std::optional<Deployment> deployment;
  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> warnings;

  explicit operator bool() const { return deployment.has_value(); }
};

LoadResult load(const std::string& path, const SchemaSource& source,
                const LoadOptions& options = {});

}  // namespace backplane::config
