// SPDX-License-Identifier: Apache-2.0
// Checks a tree against a schema and completes it: defaults filled in, references read, secrets
// moved out, paths resolved.
#pragma once

#include <string>

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"
#include "runtime/config/reference.hpp"
#include "runtime/config/schema.hpp"
#include "runtime/config/secrets.hpp"

namespace backplane::config {

// What validation reads and writes besides the tree; borrowed for the call.
struct Validation {
  const Environment& environment;
  bool no_env;  // references are checked in form only; they become null (secrets: their name)
  Secrets& secrets;
  Diagnostics& diagnostics;
  std::string schema_name;  // "openai 0.3", named in mismatches; empty for the runtime's own
};

// Every error is reported at its place; the tree is complete only when none was.
void validate(Node& node, const Schema& schema, const std::string& path, Validation& context);

}  // namespace backplane::config
