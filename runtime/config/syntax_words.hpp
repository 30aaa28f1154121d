// SPDX-License-Identifier: Apache-2.0
// What the YAML parser says, in words an operator can act on.
#pragma once

#include <string>

namespace backplane::config {

// The parser's `message`, with a remedy where it leaves one wondering.
std::string explain_syntax(const std::string& message);

}  // namespace backplane::config
