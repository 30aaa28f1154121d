// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "runtime/config/explain.hpp"
#include "runtime/config/price.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

Error no_such_model(const Deployment& deployment, const std::string& name) {
  std::vector<std::string> names;
  for (const Model& model : deployment.models) {
    names.push_back(model.name);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  const std::string hint = did_you_mean(name, names);
  return {Code::kNotFound,
          "no model " + quote(name) + (hint.empty() ? "; defined are " + list_names(names) : hint),
          {},
          0,
          0};
}

std::string heading(const Model& model, const std::string& asked) {
  std::string text = "model " + quote(model.name) + " (" + format(model.position) + ")";
  if (asked != model.name) {
    text += ", asked for as " + quote(asked);
  }
  if (!model.price) {
    return text + "\nprice: none, calls are free\n";
  }
  return text + "\nprice: " + format_nano_usd(model.price->input_nano_usd_per_million_tokens) +
         " USD read, " + format_nano_usd(model.price->output_nano_usd_per_million_tokens) +
         " USD written, per million tokens\n";
}

std::string reason(const Model& model, std::size_t index) {
  if (model.policy == Policy::kWeighted) {
    const std::int64_t total =
        std::accumulate(model.routes.begin(), model.routes.end(), std::int64_t{0},
                        [](std::int64_t sum, const Route& route) { return sum + route.weight; });
    return "first for " + std::to_string(model.routes[index].weight) + " of " +
           std::to_string(total) + " calls";
  }
  return index == 0 ? "first, as it is written first" : "when no route before it can serve";
}

std::string plugin_text(const Deployment& deployment, const std::string& backend) {
  const auto found =
      std::find_if(deployment.backends.begin(), deployment.backends.end(),
                   [&](const PluginInstance& instance) { return instance.name == backend; });
  return found != deployment.backends.end() ? found->plugin + " " + found->version : "not read";
}

}  // namespace

Result<std::string> explain_model(const Deployment& deployment, const std::string& name) {
  const Model* model = deployment.find_model(name);
  if (!model) {
    return no_such_model(deployment, name);
  }
  std::string text = heading(*model, name);
  text += model->policy == Policy::kWeighted ? "policy: weighted, a draw by weight\n"
                                             : "policy: ordered, the first that can serve\n";
  for (std::size_t i = 0; i < model->routes.size(); ++i) {
    const Route& route = model->routes[i];
    text += "  " + std::to_string(i + 1) + ". " + route.backend + " (" +
            plugin_text(deployment, route.backend) + "), model " + quote(route.model) + ": " +
            reason(*model, i) + "  # " + format(route.position) + "\n";
  }
  return text;
}

}  // namespace backplane::config
