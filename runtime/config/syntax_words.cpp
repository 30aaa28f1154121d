// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/syntax_words.hpp"

#include <map>

namespace backplane::config {

std::string explain_syntax(const std::string& message) {
  static const std::map<std::string, std::string> kWords = {
      {"illegal map value",
       "unexpected \":\"; check the indentation, or quote a value that contains \": \""},
      {"the referenced anchor is not defined",
       "unknown alias; quote a value that begins with \"*\""},
      {"unknown token", "unexpected character; quote a value that begins with it"},
      {"illegal EOF in scalar", "the quoted string that ends here is not closed"},
      {"end of map flow not found",
       "the mapping that begins here is not closed, or a quote in it is missing; expected \",\" or "
       "\"}\""},
      {"end of sequence flow not found",
       "the list that begins here is not closed, or a quote in it is missing; expected \",\" or "
       "\"]\""},
      {"illegal flow end", "unexpected closing bracket"},
      {"illegal tab when looking for indentation", "tab used as indentation; use spaces"},
      {"end of map not found", "expected a key at this indentation, or the end of the mapping"},
      {"end of sequence not found", "expected \"- \" at this indentation, or the end of the list"},
  };
  const auto words = kWords.find(message);
  return words != kWords.end() ? words->second : "syntax error: " + message;
}

}  // namespace backplane::config
