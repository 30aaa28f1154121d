// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_reader.hpp"

#include "plugins/backends/local/structured/formats.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::string_view kStrings[] = {"minLength", "maxLength", "pattern", "format"};
constexpr std::string_view kNumbers[] = {"minimum", "maximum", "exclusiveMinimum",
                                         "exclusiveMaximum", "multipleOf"};
constexpr std::string_view kCounts[] = {"minItems", "maxItems", "minProperties", "maxProperties"};
constexpr std::string_view kRefused[] = {
    "$dynamicRef", "$recursiveRef", "contains",    "disallow",         "divisibleBy",
    "extends",     "maxContains",   "minContains", "unevaluatedItems", "unevaluatedProperties",
    "uniqueItems"};

template <std::size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool is_schema(const json::value& value) {
  return value.is_object() || value.is_bool();
}

bool is_idle_keyword(std::string_view keyword, const json::value& argument) {
  if (keyword == "uniqueItems") return argument.is_bool() && !argument.get_bool();
  if (keyword == "unevaluatedItems" || keyword == "unevaluatedProperties") {
    return argument.is_bool() && argument.get_bool();
  }
  if (keyword == "format") {
    return argument.is_string() &&
           kind_of_format(std::string_view(argument.get_string())) == FormatKind::kAnnotation;
  }
  const bool is_flag = keyword == "exclusiveMinimum" || keyword == "exclusiveMaximum";
  return is_flag && argument.is_bool();  // draft 4: read with "minimum" and "maximum"
}

SchemaOption of_types(unsigned types) {
  SchemaOption option;
  option.types = types;
  return option;
}

SchemaOption of_terms(SchemaTerms terms) {
  SchemaOption option;
  option.terms = std::move(terms);
  return option;
}

SchemaOption of_assertion(unsigned types, const Assertion& assertion) {
  return {types, {assertion}, {}};
}

Assertion scalar_assertion(std::string_view keyword, const json::value& argument,
                           const json::object& owner, bool negated) {
  return {Assertion::Kind::kScalar, negated, keyword, &argument, &owner, {}, {}};
}

Assertion required_assertion(std::string_view name, const json::object& owner) {
  return {Assertion::Kind::kRequired, false, "required", nullptr, &owner, name, {}};
}

Assertion member_assertion(std::string_view name, SchemaTerm term, const json::object& owner) {
  return {Assertion::Kind::kMember, false, "properties", nullptr, &owner, name, term};
}

Assertion absent_assertion(std::string_view name, const json::object& owner) {
  static const json::value never(false);
  return member_assertion(name, {&never, false}, owner);
}
bool is_string_keyword(std::string_view keyword) {
  return is_in(kStrings, keyword);
}
bool is_number_keyword(std::string_view keyword) {
  return is_in(kNumbers, keyword);
}
bool is_count_keyword(std::string_view keyword) {
  return is_in(kCounts, keyword);
}
bool is_refused_keyword(std::string_view keyword) {
  return is_in(kRefused, keyword);
}

}  // namespace backplane::local
