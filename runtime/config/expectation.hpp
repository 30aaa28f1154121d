// SPDX-License-Identifier: Apache-2.0
// The words of a mismatch: what a schema expects, what was found instead.
#pragma once

#include <string>

#include "runtime/config/node.hpp"
#include "runtime/config/schema.hpp"

namespace backplane::config {

// "integer from 1 to 65535", "one of "text", "json"", "list of at least 1".
std::string expected(const Schema& schema);

// "\"abc\"", "12", "a list of 3"; a secret is only ever "***".
std::string found(const Node& node, bool is_secret);

// What to do about it: "; write it in quotes", "; did you mean "json"?", or empty.
std::string remedy(const Node& node, const Schema& schema);

// A number without an exponent where that is exact: 65535, 0.5.
std::string number_text(double value);

}  // namespace backplane::config
