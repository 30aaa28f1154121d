// SPDX-License-Identifier: Apache-2.0
#include "models.hpp"

#include "error_envelope.hpp"

#include <boost/json.hpp>

namespace backplane::http {

std::string model_list(std::string_view models) {
  std::string list = R"({"object":"list","data":)";
  list += models;
  list += '}';
  return list;
}

Result<std::string> find_model(std::string_view models, std::string_view id) {
  boost::system::error_code failure;
  const boost::json::value list = boost::json::parse({models.data(), models.size()}, failure);
  if (failure || !list.is_array()) return internal_error("the list of models cannot be read");
  for (const boost::json::value& model : list.as_array()) {
    const boost::json::value* name =
        model.is_object() ? model.as_object().if_contains("id") : nullptr;
    if (name == nullptr || !name->is_string()) continue;
    if (std::string_view(name->as_string()) == id) return boost::json::serialize(model);
  }
  return protocol_error(404, "MODEL_NOT_FOUND", "no such model; GET /v1/models lists them");
}

}  // namespace backplane::http
