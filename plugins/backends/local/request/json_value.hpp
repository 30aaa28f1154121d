// SPDX-License-Identifier: Apache-2.0
// JSON as what a chat template computes with.
#pragma once

#include <boost/json.hpp>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

Value to_value(const boost::json::value& json);

}  // namespace backplane::local
