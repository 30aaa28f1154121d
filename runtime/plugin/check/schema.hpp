// SPDX-License-Identifier: Apache-2.0
// What the conformance check needs of a settings schema: is it of the subset that the runtime
// understands, and which settings follow from it.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace backplane {

struct SchemaFacts {
  std::string defaults;                     // JSON object of the properties that have one
  std::vector<std::string> required;        // properties without default that must be given
  std::vector<std::string> wrong_settings;  // JSON objects, each with one value of a wrong type
};

// Errors name the place inside the schema as a JSON pointer.
Result<SchemaFacts> read_schema(std::string_view text);

}  // namespace backplane
