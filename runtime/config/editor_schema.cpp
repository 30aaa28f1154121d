// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/editor_schema.hpp"

#include <algorithm>
#include <utility>

#include "runtime/config/deployment_schema.hpp"
#include "runtime/config/json.hpp"
#include "runtime/config/plugins.hpp"
#include "runtime/config/schema.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

constexpr std::string_view kReference = R"json({
  "description": "A value that stands elsewhere.",
  "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
  "properties": {
    "env": {"type": "string", "description": "The environment variable that holds the value."},
    "file": {"type": "string", "description": "The file that holds the value."}}})json";

void allow_references(Node& schema);

void allow_references_below(Node& schema) {
  if (Node* properties = schema.find("properties")) {
    for (Entry& property : properties->entries) {
      allow_references(property.value);
    }
  }
  if (Node* branches = schema.find("oneOf")) {
    for (Node& branch : branches->items) {
      allow_references_below(branch);
    }
  }
  for (const char* keyword : {"additionalProperties", "items"}) {
    Node* below = schema.find(keyword);
    if (below && below->is_mapping()) {
      allow_references(*below);
    }
  }
}

void allow_references(Node& schema) {
  const Result<Schema> compiled = compile_schema(schema);
  if (!compiled || !compiled->takes_only_scalars() || compiled->is_constant) {
    allow_references_below(schema);
    return;
  }
  Node reference = make_mapping({{"$ref", {}, make_string("#/$defs/reference")}});
  Node wrapped = make_mapping({});
  if (const Node* description = schema.find("description")) {
    wrapped.entries.push_back({"description", {}, *description});
  }
  std::vector<Node> either;
  either.push_back(std::move(schema));
  either.push_back(std::move(reference));
  wrapped.entries.push_back({"anyOf", {}, make_sequence(std::move(either))});
  schema = std::move(wrapped);
}

std::string pattern_of(const std::string& plugin) {
  std::string pattern = "^";
  for (const char c : plugin) {
    pattern += c == '.' ? "\\." : std::string(1, c);
  }
  return pattern + "(@|$)";
}

// {"if": {uses matches}, "then": {settings are}}
Node condition(const std::string& plugin, Node settings) {
  Node uses = make_mapping({{"pattern", {}, make_string(pattern_of(plugin))}});
  Node when = make_mapping({{"required", {}, make_sequence({make_string("uses")})},
                            {"properties", {}, make_mapping({{"uses", {}, std::move(uses)}})}});
  Node then =
      make_mapping({{"properties", {}, make_mapping({{"settings", {}, std::move(settings)}})}});
  return make_mapping({{"if", {}, std::move(when)}, {"then", {}, std::move(then)}});
}

std::vector<std::string> names_of(const std::vector<PluginSchema>& plugins, PluginKind kind) {
  std::vector<std::string> names;
  for (const PluginSchema& plugin : plugins) {
    if (plugin.kind == kind && std::find(names.begin(), names.end(), plugin.name) == names.end()) {
      names.push_back(plugin.name);
    }
  }
  return names;
}

// The newest plugin of that name.
Result<PluginSchema> newest(const std::vector<PluginSchema>& plugins, PluginKind kind,
                            const std::string& name) {
  Requirement any;
  any.name = name;
  return choose_plugin(plugins, kind, any);
}

Result<Node> settings_of(const PluginSchema& plugin) {
  Result<Node> tree = parse_json(settings_schema(plugin));
  if (!tree) {
    return invalid_argument("the settings schema of " + plugin.name + " " + plugin.version +
                            " is " + tree.error().message);
  }
  return tree;
}

Status insert_plugins(Node& root, const std::vector<PluginSchema>& plugins) {
  for (const auto& [section, kind] : kPluginSections) {
    Node conditions = make_sequence({});
    for (const std::string& name : names_of(plugins, kind)) {
      const Result<PluginSchema> plugin = newest(plugins, kind, name);
      Result<Node> settings = plugin ? settings_of(*plugin) : Result<Node>(plugin.error());
      if (!settings) {
        return settings.error();
      }
      allow_references(*settings);
      conditions.items.push_back(condition(name, std::move(*settings)));
    }
    if (!conditions.items.empty()) {
      Node* entry = root.find("properties")->find(section)->find("additionalProperties");
      entry->entries.push_back({"allOf", {}, std::move(conditions)});
    }
  }
  return ok();
}

}  // namespace

Result<std::string> editor_schema(const SchemaSource& source, const PluginSearch& search) {
  Result<Node> root = parse_json(deployment_schema_json());
  Result<Node> reference = parse_json(kReference);
  if (!root || !reference) {
    return internal_error("the schema of a deployment is not JSON");
  }
  Node* properties = root->find("properties");
  for (Entry& section : properties->entries) {
    if (section.key != "include") {
      allow_references(section.value);
    }
  }
  if (Status inserted = insert_plugins(*root, source.all(search)); !inserted) {
    return inserted.error();
  }
  root->entries.push_back({"$defs", {}, make_mapping({{"reference", {}, std::move(*reference)}})});
  return to_pretty_json(*root);
}

Result<std::string> plugin_settings_schema(const SchemaSource& source, const PluginSearch& search,
                                           const std::string& name) {
  const std::vector<PluginSchema> plugins = source.all(search);
  std::vector<std::string> names;
  for (const auto& [section, kind] : kPluginSections) {
    const Result<PluginSchema> plugin = newest(plugins, kind, name);
    if (plugin) {
      Result<Node> settings = settings_of(*plugin);
      return settings ? Result<std::string>(to_pretty_json(*settings)) : settings.error();
    }
    const std::vector<std::string> more = names_of(plugins, kind);
    names.insert(names.end(), more.begin(), more.end());
  }
  return Error{Code::kNotFound,
               "no plugin " + quote(name) + "; available are " + list_names(names) +
                   did_you_mean(name, names),
               {},
               0,
               0};
}

}  // namespace backplane::config
