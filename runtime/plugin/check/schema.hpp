// SPDX-License-Identifier: Apache-2.0
// Settings for the plugin under test, made as the runtime makes them: by its schema.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace backplane {

struct CheckedSettings {
  std::string settings;  // JSON object, complete: what create gets
  std::string missing;   // why there are none: the settings that must be given; else empty
};

// Is the schema of the subset that the runtime understands, and of an object? The error names the
// place inside the schema.
Status check_schema_text(std::string_view schema);

// Completes `given` (a JSON object, or empty for none). An error if it does not fit the schema.
Result<CheckedSettings> complete_settings(std::string_view schema, std::string_view given);

// JSON objects that each give one setting a value of the wrong type.
std::vector<std::string> wrong_settings(std::string_view schema);

}  // namespace backplane
