// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/backend_description.hpp"

#include <map>

namespace backplane {
namespace {

void apply(const DescribedModel& told, RouteState& state) {
  state.input_price.store(told.input_price, std::memory_order_relaxed);
  state.output_price.store(told.output_price, std::memory_order_relaxed);
  state.privacy.store(privacy_of(told.privacy), std::memory_order_relaxed);
  state.facts = {told.context_length, told.input_modalities, told.output_modalities};
}

}  // namespace

Result<Description> description_of(const BackendPlugin& backend) {
  const Result<std::string> text = backend.describe();
  if (!text) return text.error();
  Result<Description> description = read_description(*text);
  if (description) return description;
  Error error = description.error();
  error.message = backend.place() + "describe: " + error.message;
  return error;
}

void apply(const Description& description, const BackendInstance& backend, const Router& router) {
  std::map<std::string_view, const DescribedModel*> models;
  for (const DescribedModel& model : description.models) models.emplace(model.id, &model);
  const DescribedModel nothing;
  for (const auto& [name, model] : router.models()) {
    for (const Route& route : model.routes) {
      if (route.backend != &backend) continue;
      const auto told = models.find(route.model);
      apply(told != models.end() ? *told->second : nothing, *route.state);
    }
  }
}

}  // namespace backplane
