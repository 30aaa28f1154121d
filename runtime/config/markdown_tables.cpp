// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runtime/config/editor_schema.hpp"
#include "runtime/config/expectation.hpp"
#include "runtime/config/json.hpp"
#include "runtime/config/schema.hpp"

namespace backplane::config {
namespace {

constexpr const char* kTableHead = "| key | type | default | meaning |\n|---|---|---|---|\n";

std::string escape_cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  }
  return escaped;
}

std::string type_text(const Schema& schema) {
  std::string text = expected(schema);
  if (schema.items) {
    text += " of " + expected(*schema.items);
  }
  text += schema.is_path || (schema.items && schema.items->is_path) ? ", a path" : "";
  return text + (schema.is_secret ? ", secret" : "");
}

bool has_rows_below(const Schema& schema) {
  return !schema.properties.empty() || !schema.alternatives.empty() || schema.additional ||
         (schema.items && has_rows_below(*schema.items));
}

class Tables {
 public:
  // The rows of what stands under `schema`, their keys below `prefix`.
  std::string rows_below(const Schema& schema, const std::string& prefix) {
    std::string rows;
    for (const Property& property : schema.properties) {
      rows += row(property, schema, prefix);
    }
    for (const Schema& branch : schema.alternatives) {
      rows += rows_below(branch, prefix);
    }
    if (schema.additional) {
      const std::string name = prefix + "NAME";
      rows += has_rows_below(*schema.additional) ? rows_below(*schema.additional, name + ".")
                                                 : line(name, *schema.additional, "");
    }
    return rows + (schema.items ? rows_below(*schema.items, prefix) : "");
  }

  std::string row(const Property& property, const Schema& parent, const std::string& prefix) {
    const bool is_required = std::find(parent.required.begin(), parent.required.end(),
                                       property.key) != parent.required.end();
    const std::string key = prefix + property.key;
    const std::string below = key + (property.schema.items ? "[]." : ".");
    return line(key, property.schema, is_required ? "required" : "") +
           rows_below(property.schema, below);
  }

 private:
  static std::string line(const std::string& key, const Schema& schema,
                          const std::string& otherwise) {
    const std::string fallback =
        schema.fallback ? "`" + to_canonical_json(*schema.fallback) + "`" : otherwise;
    return "| `" + escape_cell(key) + "` | " + escape_cell(type_text(schema)) + " | " +
           escape_cell(fallback) + " | " + escape_cell(schema.description) + " |\n";
  }
};

}  // namespace

Result<std::string> markdown_tables(std::string_view schema_json) {
  const Result<Schema> schema = compile_schema(schema_json);
  if (!schema) {
    return schema.error();
  }
  Tables tables;
  std::string plain;
  std::string sections;
  for (const Property& property : schema->properties) {
    if (!has_rows_below(property.schema)) {
      plain += tables.row(property, *schema, "");
      continue;
    }
    sections += "\n### " + property.key + "\n\n" + property.schema.description +
                (property.schema.description.empty() ? "" : "\n\n") + kTableHead +
                tables.rows_below(property.schema, "");
  }
  return (plain.empty() ? "" : kTableHead + plain) + sections;
}

}  // namespace backplane::config
