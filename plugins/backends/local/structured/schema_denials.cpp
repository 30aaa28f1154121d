// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_reader.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Kind = Assertion::Kind;

class Denials : SchemaReader {
 public:
  using SchemaReader::SchemaReader;

  Result<SchemaClause> read() {
    if (find("$ref") != nullptr) {
      auto target = document_.resolve(schema_);
      if (!target) return target.error();
      if (!is_schema(**target)) return fault("$ref", "leads to what is no schema");
      clause_.push_back(of_terms({{*target, true}}));
      if (document_.is_reference_alone(schema_)) return std::move(clause_);
    }
    auto types = types_of(document_, schema_);
    if (!types) return types.error();
    // An integer is a number too, so "not a number" leaves no integer.
    if (*types != kEveryType) clause_.push_back(of_types(kEveryType & ~*types));
    for (const auto& member : schema_) {
      if (auto done = read_keyword(member.key(), member.value()); !done) return done.error();
    }
    if (auto done = read_condition(); !done) return done.error();
    return std::move(clause_);
  }

 private:
  void offer(SchemaOption option) { clause_.push_back(std::move(option)); }

  Error denied(std::string_view keyword) const {
    return fault(keyword,
                 "is not supported where its opposite is asked for (inside \"not\" or \"if\", or "
                 "in a \"oneOf\" whose alternatives may hold together), since that cannot be "
                 "enforced");
  }

  Status read_keyword(std::string_view keyword, const json::value& argument) {
    static constexpr std::string_view kNever[] = {
        "additionalProperties", "patternProperties", "propertyNames",     "items",
        "prefixItems",          "dependencies",      "dependentRequired", "dependentSchemas"};
    if (is_idle_keyword(keyword, argument)) return ok();
    if (is_refused_keyword(keyword)) return unsupported(keyword);
    if (std::find(std::begin(kNever), std::end(kNever), keyword) != std::end(kNever)) {
      return is_always_true(argument) ? ok() : Status(denied(keyword));
    }
    if (is_string_keyword(keyword) || is_number_keyword(keyword)) {
      const unsigned types = is_string_keyword(keyword) ? kStringType : kNumberType;
      offer(of_assertion(types, scalar_assertion(keyword, argument, schema_, true)));
    } else if (is_count_keyword(keyword)) {
      const unsigned types = keyword.ends_with("Items") ? kArrayType : kObjectType;
      offer(of_assertion(types, {Kind::kCount, true, keyword, &argument, &schema_, {}, {}}));
    } else if (keyword == "enum" || keyword == "const") {
      return read_values(keyword, argument);
    } else if (keyword == "required") {
      return read_required(argument);
    } else if (keyword == "properties") {
      return read_properties(argument);
    } else if (keyword == "not") {
      auto inner = schema(keyword);
      if (!inner) return inner.error();
      offer(of_terms({{*inner, false}}));
    } else if (keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf") {
      return read_combination(keyword);
    }
    return ok();
  }

  static bool is_always_true(const json::value& argument) {
    if (argument.is_bool()) return argument.get_bool();
    if (!argument.is_object()) return argument.is_array() && argument.get_array().empty();
    return argument.get_object().empty();
  }

  Status read_values(std::string_view keyword, const json::value& argument) {
    const bool is_list = keyword == "enum";
    if (is_list && !argument.is_array()) return fault(keyword, "must be a list of values");
    SchemaOption other;
    other.assertions.push_back({Kind::kValues, true, keyword, &argument, &schema_, {}, {}});
    const auto add = [&](const json::value& value) {
      if (!value.is_object() && !value.is_array()) return;
      other.terms.push_back({schema_of_value(document_, value, schema_), true});
    };
    if (!is_list) add(argument);
    if (is_list) std::for_each(argument.get_array().begin(), argument.get_array().end(), add);
    offer(std::move(other));
    return ok();
  }

  Status read_required(const json::value& argument) {
    if (argument.is_bool()) return fault("required", "must be a list of names");
    auto all = names("required", argument);
    if (!all) return all.error();
    for (const auto name : *all) {
      offer(of_assertion(kObjectType, absent_assertion(name, schema_)));
    }
    return ok();
  }

  Status read_properties(const json::value& argument) {
    if (!argument.is_object()) return fault("properties", "must be an object");
    for (const auto& entry : argument.get_object()) {
      if (!is_schema(entry.value())) return fault("properties", "must hold schemas");
      if (is_always_true(entry.value())) continue;
      SchemaOption option =
          of_assertion(kObjectType, member_assertion(entry.key(), {&entry.value(), true}, schema_));
      option.assertions.push_back(required_assertion(entry.key(), schema_));
      offer(std::move(option));
    }
    return ok();
  }

  Status read_combination(std::string_view keyword) {
    auto list = schemas(keyword);
    if (!list) return list.error();
    SchemaTerms none;
    for (const json::value& one : **list) none.push_back({&one, true});
    if (keyword == "allOf") {
      for (const SchemaTerm& term : none) offer(of_terms({term}));
      return ok();
    }
    offer(of_terms(std::move(none)));
    for (std::size_t i = 0; keyword == "oneOf" && i < (*list)->size(); ++i) {
      for (std::size_t j = i + 1; j < (*list)->size(); ++j) {
        offer(of_terms({{&(**list)[i], false}, {&(**list)[j], false}}));
      }
    }
    return ok();
  }

  Status read_condition() {
    if (find("if") == nullptr) return ok();
    for (const char* keyword : {"if", "then", "else"}) {
      if (find(keyword) == nullptr) continue;
      auto inner = schema(keyword);
      if (!inner) return inner.error();
      if (std::string_view(keyword) == "if") continue;
      const bool is_else = std::string_view(keyword) == "else";
      offer(of_terms({{find("if"), is_else}, {*inner, true}}));
    }
    return ok();
  }

  SchemaClause clause_;
};

// What is known of a schema at its top, references and "allOf" followed.
struct Outline {
  unsigned types = kEveryType;
  std::vector<const json::object*> parts;

  void add(const SchemaDocument& document, const json::value& schema, int depth) {
    constexpr int kDepthMax = 8;
    if (schema.is_bool() && !schema.get_bool()) types = 0;
    if (!schema.is_object() || depth > kDepthMax) return;
    const json::object& object = schema.get_object();
    if (object.if_contains("$ref") != nullptr) {
      auto target = document.resolve(object);
      // Its siblings may not count.
      if (target) add(document, **target, depth + 1);
      return;
    }
    if (auto known = types_of(document, object)) types &= *known;
    unsigned values = 0;
    each_value(object, [&values](const json::value& value) { values |= type_of(value); });
    if (values != 0) types &= values;
    parts.push_back(&object);
    const json::value* all = object.if_contains("allOf");
    if (all == nullptr || !all->is_array()) return;
    for (const json::value& inner : all->get_array()) add(document, inner, depth + 1);
  }

  template <class Take>
  static bool each_value(const json::object& object, Take take) {
    if (const json::value* value = object.if_contains("const")) return take(*value), true;
    const json::value* list = object.if_contains("enum");
    if (list == nullptr || !list->is_array()) return false;
    for (const json::value& value : list->get_array()) take(value);
    return true;
  }
  bool requires_name(std::string_view name) const {
    for (const json::object* part : parts) {
      const json::value* list = part->if_contains("required");
      if (list == nullptr || !list->is_array()) continue;
      for (const json::value& entry : list->get_array()) {
        if (entry.is_string() && entry.get_string() == name) return true;
      }
    }
    return false;
  }
};

bool is_within(const std::vector<const json::value*>& values, const json::value& value) {
  return std::any_of(values.begin(), values.end(),
                     [&value](const json::value* other) { return *other == value; });
}

// Both name all their values, and no value twice; numbers are left to the full comparison.
bool have_other_values(const json::object& left, const json::object& right) {
  std::vector<const json::value*> values;
  bool apart =
      Outline::each_value(left, [&](const json::value& value) { values.push_back(&value); });
  const auto compare = [&](const json::value& value) {
    if (value.is_number() || value.is_structured() || is_within(values, value)) apart = false;
  };
  return Outline::each_value(right, compare) && apart;
}

const json::object* properties_of(const json::object& part) {
  const json::value* properties = part.if_contains("properties");
  return properties != nullptr && properties->is_object() ? &properties->get_object() : nullptr;
}

// Each demands the property, and other values of it.
bool differ_by_property(const Outline& left, const Outline& right) {
  for (const json::object* mine : left.parts) {
    const json::object* properties = properties_of(*mine);
    for (const json::object* theirs : right.parts) {
      const json::object* others = properties_of(*theirs);
      if (properties == nullptr || others == nullptr) continue;
      for (const auto& entry : *properties) {
        const json::value* other = others->if_contains(entry.key());
        if (other == nullptr || !other->is_object() || !entry.value().is_object()) continue;
        if (!left.requires_name(entry.key()) || !right.requires_name(entry.key())) continue;
        if (have_other_values(entry.value().get_object(), other->get_object())) return true;
      }
    }
  }
  return false;
}

// The first is closed to a property that the second demands.
bool is_closed_to(const Outline& left, const Outline& right) {
  for (const json::object* part : left.parts) {
    const json::value* more = part->if_contains("additionalProperties");
    if (more == nullptr || !more->is_bool() || more->get_bool()) continue;
    if (part->if_contains("patternProperties") != nullptr) continue;
    const json::object* properties = properties_of(*part);
    for (const json::object* other : right.parts) {
      const json::value* list = other->if_contains("required");
      if (list == nullptr || !list->is_array()) continue;
      for (const json::value& name : list->get_array()) {
        if (!name.is_string()) continue;
        if (properties == nullptr || !properties->contains(name.get_string())) return true;
      }
    }
  }
  return false;
}

}  // namespace

Result<SchemaClause> denials_of(SchemaDocument& document, const json::object& schema) {
  return Denials(document, schema).read();
}

bool are_disjoint(const SchemaDocument& document, const json::value& left,
                  const json::value& right) {
  Outline mine, theirs;
  mine.add(document, left, 0);
  theirs.add(document, right, 0);
  const unsigned common = mine.types & theirs.types;
  if (common == 0) return true;
  for (const json::object* part : mine.parts) {
    for (const json::object* other : theirs.parts) {
      if (have_other_values(*part, *other)) return true;
    }
  }
  if (common != kObjectType) return false;
  return differ_by_property(mine, theirs) || is_closed_to(mine, theirs) ||
         is_closed_to(theirs, mine);
}

}  // namespace backplane::local
