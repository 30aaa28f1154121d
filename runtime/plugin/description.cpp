// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/description.hpp"

#include "runtime/config/price.hpp"

#include <boost/json.hpp>

#include <cmath>

namespace backplane {
namespace {

namespace json = boost::json;

std::int64_t price_of(const json::object& prices, std::string_view name) {
  constexpr double kNano = 1e9;
  constexpr double kMost = 1e9;  // USD
  const json::value* const price = prices.if_contains(name);
  if (price == nullptr) return -1;
  if (price->is_string()) {
    const Result<std::int64_t> exact = config::parse_nano_usd(price->get_string());
    return exact ? *exact : -1;
  }
  if (!price->is_number()) return -1;
  const double usd = price->to_number<double>();
  return usd >= 0 && usd <= kMost ? std::llround(usd * kNano) : -1;
}

std::vector<std::string> names_in(const json::object& parent, std::string_view name) {
  constexpr std::size_t kNamesMax = 16;
  std::vector<std::string> names;
  const json::value* const list = parent.if_contains(name);
  if (list == nullptr || !list->is_array()) return names;
  for (const json::value& each : list->get_array()) {
    if (each.is_string() && names.size() < kNamesMax) names.emplace_back(each.get_string());
  }
  return names;
}

const json::object* object_in(const json::object& parent, std::string_view name) {
  const json::value* const member = parent.if_contains(name);
  return member != nullptr ? member->if_object() : nullptr;
}

DescribedModel model_of(std::string_view id, const json::object& told) {
  DescribedModel model;
  model.id = id;
  if (const json::object* const prices = object_in(told, "prices")) {
    model.input_price = price_of(*prices, "input");
    model.output_price = price_of(*prices, "output");
  }
  if (const json::value* const length = told.if_contains("context_length")) {
    if (length->is_int64() && length->get_int64() > 0) {
      model.context_length = static_cast<std::uint64_t>(length->get_int64());
    }
  }
  if (const json::object* const modalities = object_in(told, "modalities")) {
    model.input_modalities = names_in(*modalities, "input");
    model.output_modalities = names_in(*modalities, "output");
  }
  const json::value* const privacy = told.if_contains("privacy");
  if (privacy != nullptr && privacy->is_string()) model.privacy = privacy->get_string();
  return model;
}

}  // namespace

Result<Description> read_description(std::string_view text) {
  boost::system::error_code failure;
  const json::value root = json::parse(text, failure);
  if (failure || !root.is_object()) return invalid_argument("expected a JSON object");
  const json::value* models = root.get_object().if_contains("models");
  const json::value* operations = root.get_object().if_contains("operations");
  if (models == nullptr || !models->is_array()) {
    return invalid_argument("models: expected an array of {\"id\": ...}");
  }
  if (operations == nullptr || !operations->is_array() || operations->get_array().empty()) {
    return invalid_argument("operations: expected an array of names such as chat.completions");
  }
  Description description;
  for (const json::value& model : models->get_array()) {
    const json::value* id = model.is_object() ? model.get_object().if_contains("id") : nullptr;
    if (id == nullptr || !id->is_string()) {
      return invalid_argument("models: expected each to have a text id");
    }
    description.models.push_back(model_of(id->get_string(), model.get_object()));
  }
  for (const json::value& operation : operations->get_array()) {
    if (!operation.is_string()) return invalid_argument("operations: expected texts");
    description.operations.emplace_back(operation.get_string());
  }
  return description;
}

}  // namespace backplane
