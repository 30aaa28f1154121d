// SPDX-License-Identifier: Apache-2.0
#include <regex>
#include <utility>

#include "runtime/config/schema.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {

struct Pattern::Program {
  std::regex regex;
};

Pattern::Pattern(std::string text, std::unique_ptr<Program> program)
    : text_(std::move(text)), program_(std::move(program)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& text) {
  try {
    auto program = std::make_unique<Program>();
    program->regex.assign(text, std::regex::ECMAScript);
    return Pattern(text, std::move(program));
  } catch (const std::regex_error&) {
    return invalid_argument(quote(text) + " is no regular expression");
  }
}

bool Pattern::matches(const std::string& subject) const {
  if (subject.size() > kPatternSubjectMaxBytes) {
    return false;
  }
  try {
    return std::regex_search(subject, program_->regex);
  } catch (const std::regex_error&) {
    return false;
  }
}

}  // namespace backplane::config
