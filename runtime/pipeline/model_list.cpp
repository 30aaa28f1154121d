// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/model_list.hpp"

#include "runtime/config/price.hpp"
#include "runtime/services/logger.hpp"

#include <algorithm>

namespace backplane {
namespace {

std::string quoted(std::string_view text) {
  return '"' + json_escaped(text) + '"';
}

std::string array_of(const std::vector<std::string>& names) {
  std::string json = "[";
  for (const std::string& name : names) json += (json.size() > 1 ? "," : "") + quoted(name);
  return json + ']';
}

std::string price_json(const Price& price) {
  return R"({"input":)" + quoted(config::format_nano_usd(price.input_nano_usd_per_mtok)) +
         R"(,"output":)" + quoted(config::format_nano_usd(price.output_nano_usd_per_mtok)) + '}';
}

std::string modalities_json(const std::vector<std::string>& input,
                            const std::vector<std::string>& output) {
  return R"(,"modalities":{"input":)" + array_of(input) + R"(,"output":)" + array_of(output) + '}';
}

std::string privacy_json(RoutePrivacy privacy) {
  if (privacy == RoutePrivacy::kUnknown) return "";
  return R"(,"privacy":)" + quoted(name_of(privacy));
}

std::string provider_json(const Route& route) {
  std::string json =
      R"({"name":)" + quoted(route.backend->name) + R"(,"model":)" + quoted(route.model);
  if (const auto cost = cost_of(route)) json += R"(,"price":)" + price_json(*cost);
  const RouteFacts& facts = route.state->facts;
  if (facts.context_length != 0) {
    json += R"(,"context_length":)" + std::to_string(facts.context_length);
  }
  if (!facts.input_modalities.empty() || !facts.output_modalities.empty()) {
    json += modalities_json(facts.input_modalities, facts.output_modalities);
  }
  return json + privacy_json(privacy_of(route)) + '}';
}

// What every provider of the model holds to: any of them may serve the next call.
struct Common {
  std::uint64_t context_length = 0;
  std::vector<std::string> input;
  std::vector<std::string> output;
  RoutePrivacy privacy = RoutePrivacy::kUnknown;
};

void keep_common(std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::erase_if(names, [&](const std::string& name) {
    return std::find(others.begin(), others.end(), name) == others.end();
  });
}

Common common_of(const Model& model) {
  Common common;
  bool is_first = true;
  for (const Route& route : model.routes) {
    const RouteFacts& facts = route.state->facts;
    if (is_first) {
      common = {facts.context_length, facts.input_modalities, facts.output_modalities,
                privacy_of(route)};
    }
    is_first = false;
    common.context_length = std::min(common.context_length, facts.context_length);
    common.privacy = std::min(common.privacy, privacy_of(route));
    keep_common(common.input, facts.input_modalities);
    keep_common(common.output, facts.output_modalities);
  }
  return common;
}

std::string model_json(const std::string& name, const Model& model, std::int64_t created_s) {
  std::string json = R"({"id":)" + quoted(name) + R"(,"object":"model","created":)" +
                     std::to_string(created_s) + R"(,"owned_by":"backplane","price":)" +
                     price_json(model.price);
  const Common common = common_of(model);
  if (common.context_length != 0) {
    json += R"(,"context_length":)" + std::to_string(common.context_length);
  }
  if (!common.input.empty() || !common.output.empty()) {
    json += modalities_json(common.input, common.output);
  }
  json += privacy_json(common.privacy) + R"(,"providers":[)";
  for (const Route& route : model.routes) {
    if (json.back() != '[') json += ',';
    json += provider_json(route);
  }
  return json + "]}";
}

}  // namespace

std::string model_list(const Router& router, std::int64_t created_s) {
  std::string json = "[";
  for (const auto& [name, model] : router.models()) {
    if (json.size() > 1) json += ',';
    json += model_json(name, model, created_s);
  }
  return json + ']';
}

}  // namespace backplane
