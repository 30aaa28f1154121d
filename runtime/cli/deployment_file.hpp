// SPDX-License-Identifier: Apache-2.0
// Loads a deployment file for a command and prints what is wrong with it to standard error.
#pragma once

#include "runtime/config/load.hpp"

#include <optional>
#include <string>

namespace backplane::cli {

std::optional<config::Deployment> load_deployment(const std::string& file,
                                                  const config::LoadOptions& options);

}  // namespace backplane::cli
