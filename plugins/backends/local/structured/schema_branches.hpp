// SPDX-License-Identifier: Apache-2.0
// Takes schemas that must all hold apart into alternatives without "anyOf", "allOf", "oneOf",
// "not", "if", "$ref" or dependencies: each a set of types and a list of single assertions.
#pragma once

#include <compare>
#include <string_view>
#include <vector>

#include "plugins/backends/local/structured/schema_document.hpp"

namespace backplane::local {

// A schema, or its opposite.
struct SchemaTerm {
  const boost::json::value* schema = nullptr;
  bool negated = false;
  auto operator<=>(const SchemaTerm&) const = default;
};
using SchemaTerms = std::vector<SchemaTerm>;

enum ValueType : unsigned {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kFractionType = 8,  // a number that is no integer
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
  kNumberType = kIntegerType | kFractionType,
  kEveryType = 127,
};

struct Assertion {
  enum class Kind {
    kScalar,      // keyword, with its argument, of strings or numbers
    kValues,      // argument is "enum"'s list, or "const"'s value
    kProperties,  // owner's properties, patternProperties, additionalProperties
    kNames,       // argument is the schema of "propertyNames"
    kMember,      // where `name` is present, its value is of `term`
    kRequired,    // `name` is present
    kItems,       // owner's items, prefixItems, additionalItems
    kCount,       // keyword: minItems, maxItems, minProperties, maxProperties
  };
  Kind kind;
  bool negated = false;  // kScalar, kValues
  std::string_view keyword;
  const boost::json::value* argument = nullptr;
  const boost::json::object* owner = nullptr;
  std::string_view name = {};
  SchemaTerm term = {};
};

struct SchemaBranch {
  unsigned types = kEveryType;
  std::vector<Assertion> assertions;
};

// kInvalidArgument for what is not supported or goes beyond the bounds; `steps` counts up to
// kExpansionsMax over all calls for a schema.
Result<std::vector<SchemaBranch>> expand_schema(SchemaDocument& document, const SchemaTerms& terms,
                                                std::size_t& steps);

}  // namespace backplane::local
