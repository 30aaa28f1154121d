// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/schema.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "runtime/config/json.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {

const Schema* Schema::find_property(std::string_view key) const {
  const auto found = std::find_if(properties.begin(), properties.end(),
                                  [&](const Property& property) { return property.key == key; });
  return found != properties.end() ? &found->schema : nullptr;
}

bool Schema::takes_only_scalars() const {
  if (!alternatives.empty()) {
    return std::all_of(alternatives.begin(), alternatives.end(),
                       [](const Schema& branch) { return branch.takes_only_scalars(); });
  }
  if (types.is_empty()) {
    return !choices.empty();
  }
  return !types.names(NodeKind::kMapping) && !types.names(NodeKind::kSequence);
}

namespace {

using Keyword = std::function<Status(Schema&, const Node&)>;

Result<Schema> compile_at(const Node& tree, const std::string& pointer);

Error wrong(const std::string& pointer, const std::string& what) {
  return invalid_argument((pointer.empty() ? "" : pointer + ": ") + what);
}

// RFC 6901.
std::string pointer_to(const std::string& parent, std::string_view key) {
  std::string pointer = parent + "/";
  for (const char c : key) {
    pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return pointer;
}

Status add_type(Schema& schema, const Node& name) {
  static const std::map<std::string, std::vector<NodeKind>> kTypes = {
      {"null", {NodeKind::kNull}},       {"boolean", {NodeKind::kBoolean}},
      {"integer", {NodeKind::kInteger}}, {"number", {NodeKind::kInteger, NodeKind::kReal}},
      {"string", {NodeKind::kString}},   {"array", {NodeKind::kSequence}},
      {"object", {NodeKind::kMapping}}};
  const auto type = kTypes.find(name.text);
  if (name.kind != NodeKind::kString || type == kTypes.end()) {
    return wrong(schema.pointer, "type " + quote(name.text) + " does not exist");
  }
  for (const NodeKind kind : type->second) {
    schema.types.add(kind);
  }
  return ok();
}

Status read_types(Schema& schema, const Node& value) {
  if (!value.is_sequence()) {
    return add_type(schema, value);
  }
  for (const Node& name : value.items) {
    if (Status added = add_type(schema, name); !added) {
      return added;
    }
  }
  return ok();
}

Status read_properties(Schema& schema, const Node& value) {
  if (!value.is_mapping()) {
    return wrong(schema.pointer, "properties must be an object");
  }
  const std::string parent = schema.pointer + "/properties";
  for (const Entry& entry : value.entries) {
    Result<Schema> property = compile_at(entry.value, pointer_to(parent, entry.key));
    if (!property) {
      return property.error();
    }
    schema.properties.push_back({entry.key, std::move(*property)});
  }
  return ok();
}

Status read_required(Schema& schema, const Node& value) {
  for (const Node& key : value.items) {
    if (key.kind != NodeKind::kString) {
      return wrong(schema.pointer, "required must be an array of strings");
    }
    schema.required.push_back(key.text);
  }
  return value.is_sequence() ? ok() : wrong(schema.pointer, "required must be an array");
}

// A keyword whose value is a schema.
Keyword subschema(const char* keyword, std::unique_ptr<Schema> Schema::*member) {
  return [keyword, member](Schema& schema, const Node& value) -> Status {
    Result<Schema> compiled = compile_at(value, pointer_to(schema.pointer, keyword));
    if (!compiled) {
      return compiled.error();
    }
    schema.*member = std::make_unique<Schema>(std::move(*compiled));
    return ok();
  };
}

Status read_additional(Schema& schema, const Node& value) {
  if (value.kind == NodeKind::kBoolean) {
    schema.is_closed = !value.boolean;
    return ok();
  }
  return subschema("additionalProperties", &Schema::additional)(schema, value);
}

Status read_alternatives(Schema& schema, const Node& value) {
  if (!value.is_sequence() || value.items.empty()) {
    return wrong(schema.pointer, "oneOf must be an array of schemas");
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const std::string pointer = schema.pointer + "/oneOf/" + std::to_string(i);
    Result<Schema> branch = compile_at(value.items[i], pointer);
    if (!branch) {
      return branch.error();
    }
    schema.alternatives.push_back(std::move(*branch));
  }
  return ok();
}

Status read_choices(Schema& schema, const Node& value) {
  if (!value.is_sequence() || value.items.empty()) {
    return wrong(schema.pointer, "enum must be an array of values");
  }
  schema.choices = value.items;
  return ok();
}

Status read_constant(Schema& schema, const Node& value) {
  schema.choices = {value};
  schema.is_constant = true;
  return ok();
}

Status read_pattern(Schema& schema, const Node& value) {
  Result<Pattern> pattern = Pattern::compile(value.text);
  if (!pattern) {
    return wrong(schema.pointer, pattern.error().message);
  }
  schema.pattern = std::move(*pattern);
  return ok();
}

Keyword number(std::optional<double> Schema::*member) {
  return [member](Schema& schema, const Node& value) -> Status {
    if (value.kind == NodeKind::kInteger) {
      schema.*member = static_cast<double>(value.integer);
    } else if (value.kind == NodeKind::kReal) {
      schema.*member = value.real;
    } else {
      return wrong(schema.pointer, "minimum and maximum must be numbers");
    }
    return ok();
  };
}

Keyword length(std::optional<std::size_t> Schema::*member) {
  return [member](Schema& schema, const Node& value) -> Status {
    if (value.kind != NodeKind::kInteger || value.integer < 0) {
      return wrong(schema.pointer, "lengths must be integers >= 0");
    }
    schema.*member = static_cast<std::size_t>(value.integer);
    return ok();
  };
}

Keyword flag(bool Schema::*member) {
  return [member](Schema& schema, const Node& value) -> Status {
    schema.*member = value.kind == NodeKind::kBoolean && value.boolean;
    return ok();
  };
}

const std::map<std::string, Keyword, std::less<>>& keywords() {
  static const std::map<std::string, Keyword, std::less<>> kKeywords = {
      {"type", read_types},
      {"properties", read_properties},
      {"required", read_required},
      {"additionalProperties", read_additional},
      {"propertyNames", subschema("propertyNames", &Schema::names)},
      {"items", subschema("items", &Schema::items)},
      {"oneOf", read_alternatives},
      {"enum", read_choices},
      {"const", read_constant},
      {"minimum", number(&Schema::minimum)},
      {"maximum", number(&Schema::maximum)},
      {"minLength", length(&Schema::min_length)},
      {"maxLength", length(&Schema::max_length)},
      {"minItems", length(&Schema::min_items)},
      {"maxItems", length(&Schema::max_items)},
      {"pattern", read_pattern},
      {"x-secret", flag(&Schema::is_secret)},
      {"x-path", flag(&Schema::is_path)},
      {"default",
       [](Schema& schema, const Node& value) {
         schema.fallback = value;
         return ok();
       }},
      {"description",
       [](Schema& schema, const Node& value) {
         schema.description = value.text;
         return ok();
       }},
  };
  return kKeywords;
}

bool is_annotation(std::string_view keyword) {
  static constexpr std::string_view kAnnotations[] = {"$schema",    "$id",       "$comment",
                                                      "title",      "examples",  "format",
                                                      "deprecated", "writeOnly", "readOnly"};
  return keyword.substr(0, 2) == "x-" || std::find(std::begin(kAnnotations), std::end(kAnnotations),
                                                   keyword) != std::end(kAnnotations);
}

// The property that has a const in every branch, or empty.
std::string discriminator(const std::vector<Schema>& branches) {
  for (const Property& property : branches.front().properties) {
    const bool in_all = std::all_of(branches.begin(), branches.end(), [&](const Schema& branch) {
      const Schema* found = branch.find_property(property.key);
      return found && found->is_constant;
    });
    if (in_all) {
      return property.key;
    }
  }
  return "";
}

Status check_alternatives(Schema& schema) {
  std::vector<NodeKind> taken;
  bool is_by_type = true;
  for (const Schema& branch : schema.alternatives) {
    for (unsigned kind = 0; kind <= static_cast<unsigned>(NodeKind::kMapping); ++kind) {
      if (branch.types.allows(static_cast<NodeKind>(kind))) {
        const auto found = std::find(taken.begin(), taken.end(), static_cast<NodeKind>(kind));
        is_by_type = is_by_type && found == taken.end();
        taken.push_back(static_cast<NodeKind>(kind));
      }
    }
  }
  schema.discriminator = discriminator(schema.alternatives);
  if (!is_by_type && schema.discriminator.empty()) {
    return wrong(schema.pointer, "oneOf branches must differ by type or by a property with const");
  }
  return ok();
}

Result<Schema> compile_at(const Node& tree, const std::string& pointer) {
  if (!tree.is_mapping()) {
    return wrong(pointer, "a schema must be an object");
  }
  Schema schema;
  schema.pointer = pointer;
  for (const Entry& entry : tree.entries) {
    const auto keyword = keywords().find(entry.key);
    if (keyword == keywords().end()) {
      if (!is_annotation(entry.key)) {
        return wrong(pointer, "keyword " + quote(entry.key) + " is not supported");
      }
      continue;
    }
    if (Status read = keyword->second(schema, entry.value); !read) {
      return read.error();
    }
  }
  if (schema.is_secret && !(schema.types.names(NodeKind::kString) && schema.takes_only_scalars())) {
    return wrong(pointer, "x-secret needs type string");
  }
  if (!schema.alternatives.empty()) {
    if (Status checked = check_alternatives(schema); !checked) {
      return checked.error();
    }
  }
  return schema;
}

}  // namespace

Result<Schema> compile_schema(std::string_view json) {
  Result<Node> tree = parse_json(json);
  return tree ? compile_schema(*tree) : Result<Schema>(tree.error());
}

Result<Schema> compile_schema(const Node& tree) {
  return compile_at(tree, "");
}

}  // namespace backplane::config
