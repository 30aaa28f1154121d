// SPDX-License-Identifier: Apache-2.0
// The tree of a regular expression.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "plugins/backends/local/structured/regex.hpp"

namespace backplane::local {

struct RegexTree {
  enum class Kind { kClass, kSequence, kChoice, kRepeat, kBegin, kEnd };
  Kind kind = Kind::kSequence;
  CodePoints ranges;                // kClass
  std::vector<RegexTree> children;  // kRepeat: one
  std::uint32_t min = 0, max = 0;   // kRepeat; kRepeatUnbounded for no end
};

// kInvalidArgument names what is not supported, or wrong, and where.
Result<RegexTree> parse_regex(std::string_view pattern);
// The characters that the ranges leave out.
CodePoints invert(CodePoints ranges);

}  // namespace backplane::local
