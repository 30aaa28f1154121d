// SPDX-License-Identifier: Apache-2.0
// The grammar of a deployment file, as JSON Schema; its text is deployment.schema.json.
#pragma once

#include <string_view>

#include "runtime/config/schema.hpp"

namespace backplane::config {

std::string_view deployment_schema_json();

// Compiled once, then shared; any thread.
const Schema& deployment_schema();

}  // namespace backplane::config
