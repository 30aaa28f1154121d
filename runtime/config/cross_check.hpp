// SPDX-License-Identifier: Apache-2.0
// What no schema can say: that names lead somewhere, and that what is defined is used.
#pragma once

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

// Checks a tree that may still have errors of its own; what has the wrong shape is passed over.
void cross_check(const Node& root, Diagnostics& diagnostics);

}  // namespace backplane::config
