// SPDX-License-Identifier: Apache-2.0
// Parts of the grammar that are checked but not served yet. They are refused, never ignored.
#pragma once

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

// An error for each such part that the file itself writes; defaults are left alone.
void refuse_unsupported(const Node& root, Diagnostics& diagnostics);

}  // namespace backplane::config
