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

std::string price_text(const Route& route) {
  if (!route.cost) return "";
  return ", costs " + format_nano_usd(route.cost->input_nano_usd_per_million_tokens) +
         " USD read, " + format_nano_usd(route.cost->output_nano_usd_per_million_tokens) +
         " USD written";
}

std::string reason(const Model& model, std::size_t index) {
  const Route& route = model.routes[index];
  switch (model.policy) {
    case Policy::kWeighted: {
      const std::int64_t total =
          std::accumulate(model.routes.begin(), model.routes.end(), std::int64_t{0},
                          [](std::int64_t sum, const Route& each) { return sum + each.weight; });
      return "first for " + std::to_string(route.weight) + " of " + std::to_string(total) +
             (model.sticky ? " conversations" : " calls");
    }
    case Policy::kCheapest:
      return route.cost ? "first where it costs the least"
                        : "first where its backend says that it costs the least";
    case Policy::kFastest:
      return "first as often as it is measured to be faster than another";
    case Policy::kLeastBusy:
      return "first as often as it is less busy than another, by weight " +
             std::to_string(route.weight);
    case Policy::kOrdered:
      break;
  }
  return index == 0 ? "first, as it is written first" : "when no route before it can serve";
}

std::string policy_text(const Model& model) {
  constexpr const char* kTexts[] = {
      "ordered, the first that can serve", "weighted, a draw by weight",
      "cheapest, by what the providers ask",
      "fastest, the better of two by what is measured: time to the first token, tokens per second",
      "least_busy, the better of two by the calls that run there"};
  std::string text = "policy: " + std::string(kTexts[static_cast<std::size_t>(model.policy)]);
  if (model.sticky && model.policy != Policy::kOrdered) {
    text += "\nsticky: conversations that begin alike go to one route while it is healthy";
  }
  return text + "\ntries: " + std::to_string(model.attempts) + " at most, retries " +
         std::to_string(model.retry_percent) +
         " % of the calls; routes that fail or are at a limit come last\n" +
         (model.hedge_percent != 0 ? "hedges: " + std::to_string(model.hedge_percent) +
                                         " % of the streamed calls that are late\n"
                                   : "") +
         (model.continues_streams ? "streams that break off go on at another route\n" : "");
}

std::string cache_text(const Model& model) {
  if (!model.cache) return "";
  return "cache: answers are given again for " + std::to_string(model.cache->ttl_seconds) +
         " s, for " + std::to_string(model.cache->charge_percent) + " % of the price\n";
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
  text += policy_text(*model);
  text += cache_text(*model);
  for (std::size_t i = 0; i < model->routes.size(); ++i) {
    const Route& route = model->routes[i];
    text += "  " + std::to_string(i + 1) + ". " + route.backend + " (" +
            plugin_text(deployment, route.backend) + "), model " + quote(route.model) +
            price_text(route) + ": " + reason(*model, i) + "  # " + format(route.position) + "\n";
  }
  return text;
}

}  // namespace backplane::config
