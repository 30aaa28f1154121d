// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/description.hpp"

#include <boost/json.hpp>

namespace backplane {

namespace json = boost::json;

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
    description.models.emplace_back(id->get_string());
  }
  for (const json::value& operation : operations->get_array()) {
    if (!operation.is_string()) return invalid_argument("operations: expected texts");
    description.operations.emplace_back(operation.get_string());
  }
  return description;
}

}  // namespace backplane
