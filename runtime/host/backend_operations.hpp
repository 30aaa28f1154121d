// SPDX-License-Identifier: Apache-2.0
// Which operations a started backend offers.
#pragma once

#include "runtime/host/instances.hpp"

#include <string>
#include <vector>

namespace backplane {

// [control] Fails, with the backend's place in the file, where its description cannot be read.
Result<std::vector<std::string>> operations_of(const BackendPlugin& backend);

}  // namespace backplane
