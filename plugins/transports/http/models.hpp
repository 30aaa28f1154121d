// SPDX-License-Identifier: Apache-2.0
// The gateway's list of models as the documents of GET /v1/models.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::http {

// `models` is a JSON array; gives {"object":"list","data":[...]}.
std::string model_list(std::string_view models);

// The element whose id is `id`.
Result<std::string> find_model(std::string_view models, std::string_view id);

}  // namespace backplane::http
