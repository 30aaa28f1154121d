// SPDX-License-Identifier: Apache-2.0
// Splits a Jinja template into text and the tokens inside its tags, with the white-space rules
// chat templates are written for (trim_blocks, lstrip_blocks, and "-" and "+" in tags).
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

struct TemplateToken {
  enum class Kind {
    kText,
    kOutputBegin,
    kOutputEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kReal,
    kOperator,
    kEnd
  };
  Kind kind = Kind::kEnd;
  std::string text;
  std::size_t line = 1;
};

// The tokens, the last of which is kEnd. Errors name the line.
Result<std::vector<TemplateToken>> tokenize_template(std::string_view source);

Error template_error(std::size_t line, const std::string& what);

}  // namespace backplane::local
