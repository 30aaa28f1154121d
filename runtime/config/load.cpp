// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/load.hpp"

#include <utility>

#include "runtime/config/cross_check.hpp"
#include "runtime/config/deployment_schema.hpp"
#include "runtime/config/include.hpp"
#include "runtime/config/plugins.hpp"
#include "runtime/config/unsupported.hpp"
#include "runtime/config/validate.hpp"

namespace backplane::config {
namespace {

// A backend calls a model what the deployment calls it, unless the route says otherwise.
void complete_routes(Node& root) {
  for (Entry& model : root.find("models")->entries) {
    for (Node& route : model.value.find("routes")->items) {
      if (!route.find("model")) {
        Node name = make_string(model.key);
        place(name, route.position, Origin::kDefault);
        route.entries.push_back({"model", route.position, std::move(name)});
      }
    }
  }
}

bool check(Node& root, const SchemaSource& source, const LoadOptions& options,
           Deployment& deployment, Diagnostics& diagnostics) {
  Validation context{options.environment, options.no_env, deployment.secrets, diagnostics, ""};
  validate(root, deployment_schema(), "", context);
  deployment.plugins = read_plugin_search(root);
  resolve_plugins(root, source, context, deployment);
  refuse_unsupported(root, diagnostics);
  cross_check(root, diagnostics);
  return !diagnostics.failed();
}

}  // namespace

LoadResult load(const std::string& path, const SchemaSource& source, const LoadOptions& options) {
  Diagnostics diagnostics;
  LoadResult result;
  Deployment deployment;
  deployment.file = path;
  std::optional<Node> root = read_with_includes(path, diagnostics);
  if (root && check(*root, source, options, deployment, diagnostics)) {
    complete_routes(*root);
    read_sections(*root, deployment);
    deployment.tree = std::move(*root);
    result.deployment = std::move(deployment);
  }
  result.errors = diagnostics.errors();
  result.warnings = diagnostics.warnings();
  return result;
}

}  // namespace backplane::config
