// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_keywords.hpp"

#include <algorithm>
#include <array>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/schema_reader.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Kind = Assertion::Kind;

struct TypeName {
  std::string_view name;
  unsigned types;
};
constexpr TypeName kTypes[] = {{"null", kNullType},       {"boolean", kBooleanType},
                               {"integer", kIntegerType}, {"number", kNumberType},
                               {"string", kStringType},   {"array", kArrayType},
                               {"object", kObjectType}};

class Demands : SchemaReader {
 public:
  using SchemaReader::SchemaReader;

  Result<SchemaDemands> read() {
    if (find("$ref") != nullptr) {
      if (auto done = read_reference(); !done) return done.error();
      if (document_.is_reference_alone(schema_)) return std::move(demands_);
    }
    auto types = types_of(document_, schema_);
    if (!types) return types.error();
    at_once().types = *types;
    for (const auto& member : schema_) {
      if (auto done = read_keyword(member.key(), member.value()); !done) return done.error();
    }
    for (const auto step : {&Demands::read_object, &Demands::read_condition}) {
      if (auto done = (this->*step)(); !done) return done.error();
    }
    return std::move(demands_);
  }

 private:
  SchemaOption& at_once() { return demands_.at_once; }
  void demand(Assertion assertion) { at_once().assertions.push_back(assertion); }
  void demand(SchemaClause clause) { demands_.clauses.push_back(std::move(clause)); }

  Status read_reference() {
    auto target = document_.resolve(schema_);
    if (!target) return target.error();
    if (!is_schema(**target)) return fault("$ref", "leads to what is no schema");
    at_once().terms.push_back({*target, false});
    return ok();
  }

  Status read_keyword(std::string_view keyword, const json::value& argument) {
    if (is_idle_keyword(keyword, argument)) return ok();
    if (is_refused_keyword(keyword)) return unsupported(keyword);
    if (is_string_keyword(keyword) || is_number_keyword(keyword)) {
      demand(scalar_assertion(keyword, argument, schema_, false));
    } else if (is_count_keyword(keyword)) {
      demand({Kind::kCount, false, keyword, &argument, &schema_, {}, {}});
    } else if (keyword == "enum" || keyword == "const") {
      return read_values(keyword, argument);
    } else if (keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf") {
      return read_combination(keyword);
    } else if (keyword == "not") {
      auto inner = schema(keyword);
      if (!inner) return inner.error();
      at_once().terms.push_back({*inner, true});
    } else if (keyword == "dependentRequired" || keyword == "dependentSchemas" ||
               keyword == "dependencies") {
      return read_dependencies(keyword, argument);
    }
    return ok();
  }

  Status read_values(std::string_view keyword, const json::value& argument) {
    const bool is_list = keyword == "enum";
    if (is_list && !argument.is_array()) return fault(keyword, "must be a list of values");
    SchemaClause clause;
    SchemaOption scalars = of_types(0);
    const auto add = [&](const json::value& value) {
      const unsigned type = type_of(value);
      if ((type & (kArrayType | kObjectType)) == 0) {
        scalars.types |= type;
      } else {
        clause.push_back(of_terms({{schema_of_value(document_, value, schema_), false}}));
      }
    };
    if (!is_list) add(argument);
    if (is_list) std::for_each(argument.get_array().begin(), argument.get_array().end(), add);
    scalars.assertions.push_back({Kind::kValues, false, keyword, &argument, &schema_, {}, {}});
    if (scalars.types != 0) clause.push_back(std::move(scalars));
    demand(std::move(clause));
    return ok();
  }

  Status read_combination(std::string_view keyword) {
    auto list = schemas(keyword);
    if (!list) return list.error();
    if (keyword == "oneOf" && (*list)->size() > kSchemaBranchesMax) {
      return fault(keyword,
                   "has more than " + std::to_string(kSchemaBranchesMax) + " alternatives");
    }
    SchemaClause clause;
    for (std::size_t i = 0; i < (*list)->size(); ++i) {
      const json::value& one = (**list)[i];
      if (keyword == "allOf") {
        at_once().terms.push_back({&one, false});
        continue;
      }
      SchemaTerms terms{{&one, false}};
      for (std::size_t j = 0; keyword == "oneOf" && j < (*list)->size(); ++j) {
        const json::value& other = (**list)[j];
        if (j != i && !are_disjoint(document_, one, other)) terms.push_back({&other, true});
      }
      clause.push_back(of_terms(std::move(terms)));
    }
    if (keyword != "allOf") demand(std::move(clause));
    return ok();
  }

  Status read_dependencies(std::string_view keyword, const json::value& argument) {
    if (!argument.is_object()) return fault(keyword, "must be an object");
    for (const auto& entry : argument.get_object()) {
      SchemaOption present = of_assertion(kObjectType, required_assertion(entry.key(), schema_));
      if (is_schema(entry.value())) {
        present.terms.push_back({&entry.value(), false});
      } else {
        auto list = names(keyword, entry.value());
        if (!list) return list.error();
        for (const auto name : *list)
          present.assertions.push_back(required_assertion(name, schema_));
      }
      const Assertion absent = absent_assertion(entry.key(), schema_);
      demand(SchemaClause{of_types(kEveryType & ~kObjectType), of_assertion(kObjectType, absent),
                          std::move(present)});
    }
    return ok();
  }

  Status read_object() {
    for (const char* keyword : {"properties", "patternProperties", "additionalProperties"}) {
      if (find(keyword) == nullptr) continue;
      demand({Kind::kProperties, false, keyword, nullptr, &schema_, {}, {}});
      break;
    }
    for (const char* keyword : {"items", "prefixItems"}) {
      if (find(keyword) == nullptr) continue;
      demand({Kind::kItems, false, keyword, nullptr, &schema_, {}, {}});
      break;
    }
    if (find("propertyNames") != nullptr) {
      auto inner = schema("propertyNames");
      if (!inner) return inner.error();
      demand({Kind::kNames, false, "propertyNames", *inner, &schema_, {}, {}});
    }
    // Draft 3 has "required": true in the property.
    const json::value* list = find("required");
    if (list == nullptr || list->is_bool()) return list == nullptr ? ok() : refuse_flag(*list);
    auto all = names("required", *list);
    if (!all) return all.error();
    for (const auto name : *all) demand(required_assertion(name, schema_));
    return ok();
  }

  Status refuse_flag(const json::value& flag) const {
    if (!flag.get_bool()) return ok();
    return fault("required", "must be a list of names");
  }

  Status read_condition() {
    if (find("if") == nullptr) return ok();
    const json::value* branches[3] = {nullptr, nullptr, nullptr};
    static constexpr std::array<std::string_view, 3> kKeywords{"if", "then", "else"};
    for (std::size_t i = 0; i < kKeywords.size(); ++i) {
      if (find(kKeywords[i]) == nullptr) continue;
      auto inner = schema(kKeywords[i]);
      if (!inner) return inner.error();
      branches[i] = *inner;
    }
    if (branches[1] == nullptr && branches[2] == nullptr) return ok();
    SchemaTerms holds{{branches[0], false}}, fails{{branches[0], true}};
    if (branches[1] != nullptr) holds.push_back({branches[1], false});
    if (branches[2] != nullptr) fails.push_back({branches[2], false});
    demand(SchemaClause{of_terms(std::move(holds)), of_terms(std::move(fails))});
    return ok();
  }

  SchemaDemands demands_;
};

}  // namespace

Result<SchemaDemands> demands_of(SchemaDocument& document, const json::object& schema) {
  return Demands(document, schema).read();
}

unsigned type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNullType;
    case json::kind::bool_:
      return kBooleanType;
    case json::kind::string:
      return kStringType;
    case json::kind::array:
      return kArrayType;
    case json::kind::object:
      return kObjectType;
    default:
      return kNumberType;
  }
}

Result<unsigned> types_of(const SchemaDocument& document, const json::object& schema) {
  const json::value* names = schema.if_contains("type");
  if (names == nullptr) return static_cast<unsigned>(kEveryType);
  unsigned types = 0;
  const auto add = [&](const json::value& name) {
    for (const TypeName& type : kTypes) {
      if (!name.is_string() || name.get_string() != type.name) continue;
      types |= type.types;
      return true;
    }
    return name.is_string() && name.get_string() == "any" && (types = kEveryType) != 0;
  };
  const bool good = names->is_array()
                        ? std::all_of(names->get_array().begin(), names->get_array().end(), add)
                        : add(*names);
  if (good && types != 0) return types;
  return document.fault(schema, "type",
                        "must be null, boolean, integer, number, string, array or object, "
                        "or a list of them");
}

const json::value* schema_of_value(SchemaDocument& document, const json::value& value,
                                   const json::object& origin) {
  json::object schema;
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array())
      items.emplace_back(json::object{{"const", item}});
    const std::size_t size = items.size();
    schema = {{"type", "array"}, {"items", false}, {"minItems", size}, {"maxItems", size}};
    schema["prefixItems"] = std::move(items);
  } else {
    json::object properties;
    json::array names;
    for (const auto& member : value.get_object()) {
      properties[member.key()] = json::object{{"const", member.value()}};
      names.emplace_back(member.key());
    }
    schema = {{"type", "object"}, {"additionalProperties", false}};
    schema["properties"] = std::move(properties);
    schema["required"] = std::move(names);
  }
  return document.keep(std::move(schema), origin);
}

}  // namespace backplane::local
