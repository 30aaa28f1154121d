// SPDX-License-Identifier: Apache-2.0
// A regular expression of a tokenizer, as PCRE2 reads it: UTF-8, Unicode classes. Immutable; any
// thread may split with it.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

class WordPattern {
 public:
  // The error says what is wrong with the pattern, and where.
  static Result<WordPattern> compile(std::string_view pattern);

  // Appends the matches and what lies between them, in order; together they are the text. Bytes
  // that are not UTF-8 match nothing. A text on which the engine gives up is one piece from there.
  void split(std::string_view text, std::vector<std::string_view>& out) const;

 private:
  struct Code;
  struct Free {
    void operator()(Code* code) const;
  };
  explicit WordPattern(Code* code) : code_(code) {}
  void split_valid(std::string_view text, std::vector<std::string_view>& out) const;

  std::unique_ptr<Code, Free> code_;
};

}  // namespace backplane::local
