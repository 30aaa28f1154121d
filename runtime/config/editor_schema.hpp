// SPDX-License-Identifier: Apache-2.0
// Schemas to read and to complete by: JSON Schema for editors, tables for the documentation.
#pragma once

#include <string>
#include <string_view>

#include "backplane/result.hpp"
#include "runtime/config/schema_source.hpp"

namespace backplane::config {

// The schema of a deployment file with the settings of every plugin of `source` at the entries that
// use it. Wherever a scalar may stand, {env: NAME} and {file: PATH} may.
Result<std::string> editor_schema(const SchemaSource& source, const PluginSearch& search);

// The settings schema of the newest plugin called `name`, of whatever kind.
Result<std::string> plugin_settings_schema(const SchemaSource& source, const PluginSearch& search,
                                           const std::string& name);

// Markdown: per top-level key its description and a table of key, type, default and meaning.
Result<std::string> markdown_tables(std::string_view schema_json);

}  // namespace backplane::config
