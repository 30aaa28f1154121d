// SPDX-License-Identifier: Apache-2.0
// What those who take one schema object apart share: its keywords, and reading them.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "plugins/backends/local/structured/schema_keywords.hpp"

namespace backplane::local {

bool is_schema(const boost::json::value& value);
// Keywords that ask for nothing with this argument.
bool is_idle_keyword(std::string_view keyword, const boost::json::value& argument);
bool is_string_keyword(std::string_view keyword);
bool is_number_keyword(std::string_view keyword);
bool is_count_keyword(std::string_view keyword);
bool is_refused_keyword(std::string_view keyword);

SchemaOption of_types(unsigned types);
SchemaOption of_terms(SchemaTerms terms);
SchemaOption of_assertion(unsigned types, const Assertion& assertion);
Assertion scalar_assertion(std::string_view keyword, const boost::json::value& argument,
                           const boost::json::object& owner, bool negated);
Assertion required_assertion(std::string_view name, const boost::json::object& owner);
Assertion member_assertion(std::string_view name, SchemaTerm term,
                           const boost::json::object& owner);
Assertion absent_assertion(std::string_view name, const boost::json::object& owner);

// Reads the keywords of one schema.
class SchemaReader {
 public:
  SchemaReader(SchemaDocument& document, const boost::json::object& schema)
      : document_(document), schema_(schema) {}

 protected:
  const boost::json::value* find(std::string_view keyword) const {
    return schema_.if_contains(keyword);
  }

  Error fault(std::string_view keyword, std::string_view message) const {
    return document_.fault(schema_, keyword, message);
  }
  Error unsupported(std::string_view keyword) const {
    return document_.unsupported(schema_, keyword);
  }

  Result<const boost::json::array*> schemas(std::string_view keyword) const {
    const boost::json::value& list = *find(keyword);
    const bool good = list.is_array() && !list.get_array().empty() &&
                      std::all_of(list.get_array().begin(), list.get_array().end(), is_schema);
    if (!good) return fault(keyword, "must be a list of schemas, at least one");
    return &list.get_array();
  }
  Result<const boost::json::value*> schema(std::string_view keyword) const {
    const boost::json::value& value = *find(keyword);
    if (!is_schema(value)) return fault(keyword, "must be a schema");
    return &value;
  }
  Result<std::vector<std::string_view>> names(std::string_view keyword,
                                              const boost::json::value& list) const {
    std::vector<std::string_view> names;
    if (!list.is_array()) return fault(keyword, "must be a list of names");
    for (const boost::json::value& name : list.get_array()) {
      if (!name.is_string()) return fault(keyword, "must be a list of names");
      names.emplace_back(name.get_string());
    }
    return names;
  }
  SchemaDocument& document_;
  const boost::json::object& schema_;
};

}  // namespace backplane::local
