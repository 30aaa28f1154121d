// SPDX-License-Identifier: Apache-2.0
// Text of others on its way through a chat template: names of control tokens in it are to stay
// text. A mark, a byte that UTF-8 never has, is put into each such name, where no token is found
// then; encode() drops marks. Stateless; any thread.
#pragma once

#include <string>
#include <string_view>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

inline constexpr char kLiteralMark = '\xff';

// Also in what the text ends with, where it could be the beginning of such a name. Names of
// reasoning ("<think>") are left, which templates look for in answers.
std::string mark_literal(std::string_view text, const Vocabulary& vocabulary);
// Whether mark_literal would change it.
bool has_control_names(std::string_view text, const Vocabulary& vocabulary);

}  // namespace backplane::local
