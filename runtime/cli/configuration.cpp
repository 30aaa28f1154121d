// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.hpp"
#include "runtime/cli/deployment_file.hpp"
#include "runtime/config/deployment_schema.hpp"
#include "runtime/config/editor_schema.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/host/catalog_schemas.hpp"

#include <iostream>

namespace backplane::cli {
namespace {

int print(const Result<std::string>& text) {
  if (!text) {
    std::cerr << "backplane: " << text.error().message << '\n';
    return 1;
  }
  std::cout << *text;
  if (text->empty() || text->back() != '\n') std::cout << '\n';
  return 0;
}

// The reference of every key: docs/config.md.
Result<std::string> reference(const config::SchemaSource& source) {
  std::string text =
      "# The deployment file, key by key\n\n"
      "Printed by `backplane schema --markdown`. A value marked secret is best given as "
      "`{env: NAME}` or `{file: PATH}`,\nwhich stand for any scalar.\n\n";
  const auto grammar = config::markdown_tables(config::deployment_schema_json());
  if (!grammar) return grammar.error();
  text += *grammar + "\n# Settings of the plugins\n";
  for (const config::PluginSchema& plugin : source.all({})) {
    const auto table = config::markdown_tables(plugin.schema);
    if (!table) return table.error();
    text +=
        "\n## " + std::string(config::name_of(plugin.kind)) + " `" + plugin.name + "`\n\n" + *table;
  }
  return text;
}

}  // namespace

int check(const CheckOptions& options) {
  config::LoadOptions loading;
  loading.no_env = options.no_env;
  if (!load_deployment(options.file, loading)) return 1;
  std::cout << options.file << ": ok\n";
  return 0;
}

int explain(const ExplainOptions& options) {
  config::LoadOptions loading;
  loading.no_env = options.no_env;
  const auto deployment = load_deployment(options.file, loading);
  if (!deployment) return 1;
  if (!options.model.empty()) return print(config::explain_model(*deployment, options.model));
  return print(config::explain(*deployment));
}

int schema(const SchemaOptions& options) {
  const CatalogSchemas source;
  if (options.markdown) return print(reference(source));
  if (options.plugin.empty()) return print(config::editor_schema(source, {}));
  return print(config::plugin_settings_schema(source, {}, options.plugin));
}

}  // namespace backplane::cli
