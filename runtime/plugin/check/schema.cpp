// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/schema.hpp"

#include "runtime/config/json.hpp"
#include "runtime/config/validate.hpp"

#include <algorithm>

namespace backplane {
namespace {

Result<config::Schema> compiled(std::string_view schema) {
  Result<config::Schema> made = config::compile_schema(schema);
  if (!made) return invalid_argument("schema: " + made.error().message);
  if (!made->types.names(config::NodeKind::kMapping)) {
    return invalid_argument("schema: /type: expected \"object\": settings are a mapping");
  }
  return made;
}

std::string required_names(const config::Schema& schema) {
  std::string names;
  for (const std::string& name : schema.required) {
    const config::Schema* property = schema.find_property(name);
    if (property != nullptr && property->fallback) continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

}  // namespace

Status check_schema_text(std::string_view schema) {
  const Result<config::Schema> made = compiled(schema);
  if (!made) return made.error();
  return ok();
}

Result<CheckedSettings> complete_settings(std::string_view schema, std::string_view given) {
  const Result<config::Schema> made = compiled(schema);
  if (!made) return made.error();
  if (given.empty()) {
    if (std::string names = required_names(*made); !names.empty()) {
      return CheckedSettings{{}, "settings required: " + names};
    }
    given = "{}";
  }
  Result<config::Node> tree = config::parse_json(given);
  if (!tree) return invalid_argument("settings: " + tree.error().message);
  config::Secrets secrets;
  config::Diagnostics diagnostics;
  config::Validation context{config::process_environment, true, secrets, diagnostics, {}};
  config::validate(*tree, *made, "settings", context);
  if (!diagnostics.failed()) return CheckedSettings{config::to_canonical_json(*tree), {}};
  const config::Diagnostic& first = diagnostics.errors().front();
  return invalid_argument(first.path + ": " + first.message);
}

std::vector<std::string> wrong_settings(std::string_view schema) {
  std::vector<std::string> wrong;
  const Result<config::Schema> made = compiled(schema);
  if (!made) return wrong;
  for (const config::Property& property : made->properties) {
    const bool text = property.schema.types.allows(config::NodeKind::kString);
    wrong.push_back("{" + config::json_string(property.key) + ":" + (text ? "7" : "\"wrong\"") +
                    "}");
  }
  return wrong;
}

}  // namespace backplane
