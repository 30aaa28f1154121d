// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/schema.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace backplane {
namespace {

namespace json = boost::json;

constexpr int kDepthMax = 16;
constexpr std::array<std::string_view, 25> kKeywords{
    "$schema",   "$id",         "title",    "description",   "type",
    "const",     "enum",        "default",  "properties",    "required",
    "minimum",   "maximum",     "minItems", "maxItems",      "additionalProperties",
    "minLength", "maxLength",   "pattern",  "items",         "oneOf",
    "x-secret",  "uniqueItems", "examples", "propertyNames", "discriminator"};
constexpr std::array<std::string_view, 7> kTypes{"object", "array",   "string", "integer",
                                                 "number", "boolean", "null"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status bad(const std::string& where, const std::string& what) {
  return invalid_argument("schema: " + (where.empty() ? "/" : where) + ": " + what);
}

Status check_node(const json::value& node, const std::string& where, int depth);

Status check_members(const json::value& nodes, const std::string& where, int depth) {
  if (const json::object* object = nodes.if_object()) {
    for (const auto& [name, node] : *object) {
      if (Status status = check_node(node, where + "/" + std::string(name), depth); !status) {
        return status;
      }
    }
    return ok();
  }
  if (const json::array* array = nodes.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (Status status = check_node((*array)[i], where + "/" + std::to_string(i), depth);
          !status) {
        return status;
      }
    }
    return ok();
  }
  return bad(where, "expected schemas");
}

Status check_keyword(std::string_view keyword, const json::value& value, const std::string& where,
                     int depth) {
  if (!contains(kKeywords, keyword) && keyword.substr(0, 2) != "x-") {
    return bad(where, "the runtime does not know this keyword");
  }
  if (keyword == "type" && !(value.is_string() && contains(kTypes, value.get_string()))) {
    return bad(where, "expected one of object, array, string, integer, number, boolean, null");
  }
  if (keyword == "properties") {
    if (!value.is_object()) return bad(where, "expected an object");
    return check_members(value, where, depth + 1);
  }
  if (keyword == "oneOf") {
    if (!value.is_array()) return bad(where, "expected an array");
    return check_members(value, where, depth + 1);
  }
  if (keyword == "items" || (keyword == "additionalProperties" && !value.is_bool())) {
    return check_node(value, where, depth + 1);
  }
  return ok();
}

Status check_node(const json::value& node, const std::string& where, int depth) {
  if (depth > kDepthMax) return bad(where, "nested too deeply");
  if (!node.is_object()) return bad(where, "expected a JSON object");
  for (const auto& [keyword, value] : node.get_object()) {
    const std::string place = where + "/" + std::string(keyword);
    if (Status status = check_keyword(keyword, value, place, depth); !status) return status;
  }
  return ok();
}

bool is_required(const json::object& schema, std::string_view property) {
  const json::value* required = schema.if_contains("required");
  if (required == nullptr || !required->is_array()) return false;
  const json::array& names = required->get_array();
  return std::any_of(names.begin(), names.end(),
                     [&](const json::value& name) { return name == json::value(property); });
}

std::string wrong_value(std::string_view property, const json::object& schema) {
  const json::value* type = schema.if_contains("type");
  const bool text = type != nullptr && *type == json::value("string");
  json::object settings;
  settings[property] = text ? json::value(7) : json::value("wrong");
  return json::serialize(settings);
}

}  // namespace

Result<SchemaFacts> read_schema(std::string_view text) {
  boost::system::error_code failure;
  const json::value root = json::parse(text, failure);
  if (failure) return invalid_argument("schema: is not JSON: " + failure.message());
  if (Status status = check_node(root, "", 0); !status) return status.error();
  const json::object& schema = root.get_object();
  const json::value* type = schema.if_contains("type");
  if (type == nullptr || *type != json::value("object")) {
    return invalid_argument("schema: /type: expected \"object\": settings are a mapping");
  }
  SchemaFacts facts;
  json::object defaults;
  if (const json::value* properties = schema.if_contains("properties")) {
    for (const auto& [name, property] : properties->get_object()) {
      facts.wrong_settings.push_back(wrong_value(name, property.get_object()));
      if (const json::value* value = property.get_object().if_contains("default")) {
        defaults[name] = *value;
      } else if (is_required(schema, name)) {
        facts.required.emplace_back(name);
      }
    }
  }
  facts.defaults = json::serialize(defaults);
  return facts;
}

}  // namespace backplane
