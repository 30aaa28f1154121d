// SPDX-License-Identifier: Apache-2.0
// What an operator is told of a reload: which named things of the file are not as they were.
#pragma once

#include "runtime/config/node.hpp"

#include <string>
#include <vector>

namespace backplane {

// "backends.groq: changed", "models.fast: added", "limits: changed"; in the order of the file, what
// has gone at the end of its section.
std::vector<std::string> changes_between(const config::Node& before, const config::Node& after);

}  // namespace backplane
