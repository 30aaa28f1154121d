// SPDX-License-Identifier: Apache-2.0
// Answers for an operator: what a deployment says once everything is filled in, who said it, and
// which route a model would take. Secrets are masked.
#pragma once

#include <string>

#include "backplane/result.hpp"
#include "runtime/config/deployment.hpp"

namespace backplane::config {

// The resolved tree as YAML, each value with its source as a comment: a place in a file, "default",
// or the variable or file it was read from.
std::string explain(const Deployment& deployment);

// Which routes would serve `model` (a name or an alias), in which order, and why. Fails for an
// unknown model, with the one that was probably meant.
Result<std::string> explain_model(const Deployment& deployment, const std::string& model);

}  // namespace backplane::config
