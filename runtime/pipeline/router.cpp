// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/router.hpp"

#include "runtime/config/suggestion.hpp"

#include <algorithm>
#include <limits>

namespace backplane {
namespace {

Error not_found(std::string message) {
  return {Code::kNotFound, std::move(message), "MODEL_NOT_FOUND", 404, 0};
}

// Cut between characters, so that a message stays UTF-8.
std::string shown(std::string_view name) {
  constexpr std::size_t kShownBytesMax = 100;
  if (name.size() <= kShownBytesMax) return std::string(name);
  std::size_t size = kShownBytesMax;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0U) == 0x80U) --size;
  return std::string(name.substr(0, size));
}

Error not_supported(const std::string& model, std::string_view operation,
                    std::string_view provider) {
  std::string message =
      "the model \"" + model + "\" does not offer the operation \"" + std::string(operation) + '"';
  if (!provider.empty()) message += " at the provider \"" + shown(provider) + '"';
  return {Code::kNotFound, std::move(message), "OPERATION_NOT_SUPPORTED", 404, 0};
}

// Moves one route to the front, drawn by weight; the rest stays the fallback, in order.
void draw_first(std::vector<const Route*>& routes, std::uint64_t random) {
  std::uint64_t total = 0;
  for (const Route* route : routes) total += route->weight;
  if (total == 0) return;
  std::uint64_t ticket = random % total;
  for (auto route = routes.begin(); route != routes.end(); ++route) {
    if (ticket < (*route)->weight) {
      std::rotate(routes.begin(), route, route + 1);
      return;
    }
    ticket -= (*route)->weight;
  }
}

}  // namespace

Router::Router(std::vector<Model> models) {
  std::uint32_t index = 0;
  for (Model& model : models) {
    std::string name = model.name;
    const auto [entry, is_new] = models_.emplace(std::move(name), std::move(model));
    if (is_new) entry->second.index = index++;
  }
}

Result<const Model*> Router::find(std::string_view model) const {
  const auto found = models_.find(model);
  if (found != models_.end()) return &found->second;
  constexpr std::size_t kComparedMax = 1000;  // names, so that a typo cannot hold up the loop
  std::vector<std::string> names;
  for (const auto& [name, known] : models_) {
    if (names.size() == kComparedMax) break;
    names.push_back(name);
  }
  return not_found("the model \"" + shown(model) +
                   "\" does not exist; GET /v1/models lists those that do" +
                   config::did_you_mean(model, names));
}

bool BackendInstance::serves(std::string_view operation) const {
  return operations.empty() ||
         std::find(operations.begin(), operations.end(), operation) != operations.end();
}

Result<std::vector<const Route*>> Router::order(const Model& model, std::string_view operation,
                                                std::string_view provider, std::uint64_t random) {
  std::vector<const Route*> routes;
  bool has_provider = false;
  for (const Route& route : model.routes) {
    if (!provider.empty() && route.backend->name != provider) continue;
    has_provider = true;
    if (route.backend->serves(operation)) routes.push_back(&route);
  }
  if (routes.empty() && has_provider) return not_supported(model.name, operation, provider);
  if (routes.empty()) {
    Error error = not_found("provider: \"" + shown(provider) + "\" does not serve the model \"" +
                            model.name + "\"");
    error.type = "PROVIDER_NOT_FOUND";
    return error;
  }
  if (model.policy == RoutePolicy::kWeighted) draw_first(routes, random);
  return routes;
}

bool is_retryable(const Error& error) {
  if (error.http_status == 429 || error.http_status >= 500) return true;
  if (error.http_status != 0) return false;
  return error.code == Code::kUnavailable || error.code == Code::kResourceExhausted ||
         error.code == Code::kDeadlineExceeded || error.code == Code::kInternal ||
         error.code == Code::kDataLoss || error.code == Code::kUnknown;
}

std::int64_t cost_nano_usd(const Price& price, std::uint64_t prompt_tokens,
                           std::uint64_t completion_tokens) {
  __extension__ using Wide = __int128;
  constexpr std::uint64_t kTokensMax = 1ULL << 62U;  // what no count reaches and no sum overflows
  prompt_tokens = std::min(prompt_tokens, kTokensMax);
  completion_tokens = std::min(completion_tokens, kTokensMax);
  const Wide total = static_cast<Wide>(price.input_nano_usd_per_mtok) * prompt_tokens +
                     static_cast<Wide>(price.output_nano_usd_per_mtok) * completion_tokens;
  constexpr Wide kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min<Wide>((total + 999'999) / 1'000'000, kMax));
}

}  // namespace backplane
