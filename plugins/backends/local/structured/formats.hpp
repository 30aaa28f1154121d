// SPDX-License-Identifier: Apache-2.0
// The string formats of JSON Schema, as automata.
#pragma once

#include <optional>
#include <string_view>

#include "plugins/backends/local/structured/dfa.hpp"

namespace backplane::local {

enum class FormatKind {
  kEnforced,    // dfa_of_format has it
  kRefused,     // JSON Schema defines it, and it is not enforced here
  kAnnotation,  // any other name: a remark, by the specification
};

FormatKind kind_of_format(std::string_view name);
// Of an enforced one.
Result<DfaPointer> dfa_of_format(std::string_view name);

}  // namespace backplane::local
