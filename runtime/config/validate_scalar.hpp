// SPDX-License-Identifier: Apache-2.0
// The leaves of validation: one value against the limits of one schema, and the references that
// stand for values.
#pragma once

#include <string>

#include "runtime/config/validate.hpp"

namespace backplane::config {

// Whether a value of the right type keeps the schema's enum, range, lengths and pattern.
bool fits(const Node& node, const Schema& schema);

// "expected integer >= 1, found "abc" (schema: openai 0.3 /properties/timeout_ms)".
void report_mismatch(const Node& node, const Schema& schema, const std::string& path,
                     Validation& context);

// Checks `node`, whose type already fits; a secret is moved out, a path resolved.
void validate_scalar(Node& node, const Schema& schema, const std::string& path,
                     Validation& context);

// Replaces a reference by what it points at, typed as `schema` wants it, and checks that.
void validate_reference(Node& node, const Schema& schema, const std::string& path,
                        Validation& context);

}  // namespace backplane::config
