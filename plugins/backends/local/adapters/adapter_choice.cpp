// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/adapter_choice.hpp"

#include <boost/json/value.hpp>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr double kScaleMax = 100;

// "" for the model as it is.
std::string name_in_model(std::string_view model, std::string_view base_name,
                          const AdapterStore& store) {
  if (model == base_name) return {};
  if (store.has(model)) return std::string(model);
  const std::size_t colon = model.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view name = model.substr(colon + 1);
  const bool is_of_base = model.substr(0, colon) == base_name;
  return is_of_base || store.has(name) ? std::string(name) : std::string();
}

}  // namespace

Result<AdapterField> read_adapter_field(const json::object& body) {
  AdapterField out;
  const json::value* value = body.if_contains("adapter");
  if (value == nullptr || value->is_null()) return out;
  out.is_given = true;
  const json::object* object = value->if_object();
  const json::value* name = object != nullptr ? object->if_contains("name") : value;
  if (name == nullptr || !name->is_string()) {
    return refuse("adapter", "expected a name, or an object of name and scale");
  }
  out.name = name->as_string();
  const json::value* scale = object != nullptr ? object->if_contains("scale") : nullptr;
  if (scale == nullptr || scale->is_null()) return out;
  const double number = scale->is_number() ? scale->to_number<double>() : kScaleMax + 1;
  if (!(number >= -kScaleMax && number <= kScaleMax)) {
    return refuse("adapter.scale", "expected a number from -100 to 100");
  }
  out.scale = static_cast<float>(number);
  return out;
}

Result<AdapterChoice> choose_adapter(const AdapterField& field, std::string_view model,
                                     std::string_view base_name, AdapterStore& store,
                                     std::int64_t now_ms) {
  std::string name = field.name;
  if (!field.is_given && store.is_open()) name = name_in_model(model, base_name, store);
  if (name.empty()) return AdapterChoice{};
  auto adapter = store.get(name, now_ms);
  if (!adapter) return adapter.error();
  return AdapterChoice{std::move(*adapter), field.scale};
}

}  // namespace backplane::local
