// SPDX-License-Identifier: Apache-2.0
// One schema object as what must hold: assertions at once, and clauses of which one option each
// has to hold.
#pragma once

#include <vector>

#include "plugins/backends/local/structured/schema_branches.hpp"

namespace backplane::local {

struct SchemaOption {
  unsigned types = kEveryType;
  std::vector<Assertion> assertions;
  SchemaTerms terms;
};
using SchemaClause = std::vector<SchemaOption>;

struct SchemaDemands {
  SchemaOption at_once;
  std::vector<SchemaClause> clauses;
};

Result<SchemaDemands> demands_of(SchemaDocument& document, const boost::json::object& schema);
// What has to hold where `schema` does not: one of the options.
Result<SchemaClause> denials_of(SchemaDocument& document, const boost::json::object& schema);
// No value satisfies both, as far as their types, names and constants tell.
bool are_disjoint(const SchemaDocument& document, const boost::json::value& left,
                  const boost::json::value& right);

// The types that "type" allows; its opposite cannot be told of "integer" alone, see kFractionType.
Result<unsigned> types_of(const SchemaDocument& document, const boost::json::object& schema);
unsigned type_of(const boost::json::value& value);
// The schema of exactly this array or object.
const boost::json::value* schema_of_value(SchemaDocument& document, const boost::json::value& value,
                                          const boost::json::object& origin);

}  // namespace backplane::local
