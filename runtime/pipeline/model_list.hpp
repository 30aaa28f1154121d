// SPDX-License-Identifier: Apache-2.0
// What GET /v1/models says: the members that OpenAI's clients read, and beside them who serves each
// model, at what price, with how much context, and what becomes of what it is given.
#pragma once

#include "runtime/pipeline/router.hpp"

#include <cstdint>
#include <string>

namespace backplane {

// A JSON array, as bp_gateway.models gives it. `created_s`: in Unix time. [control]
std::string model_list(const Router& router, std::int64_t created_s);

}  // namespace backplane
