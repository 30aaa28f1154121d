// SPDX-License-Identifier: Apache-2.0
// Splits text into the words byte-pair merges stay inside, as `tokenizer.ggml.pre` names it. The
// patterns are the models' regular expressions, matched by hand. Stateless; any thread.
#pragma once

#include <string_view>
#include <vector>

namespace backplane::local {

struct PreTokenizer;  // a list of rules

// nullptr for a name that is not known.
const PreTokenizer* find_pre_tokenizer(std::string_view name);
// The pieces, in order; together they are the text. They point into it.
std::vector<std::string_view> split_words(const PreTokenizer& rules, std::string_view text);
// Whether a whole word that is a token is taken without looking at merges.
bool takes_whole_words(const PreTokenizer& rules);
// Whether texts begin with the beginning-of-sequence token when the file does not say.
bool adds_bos_by_default(const PreTokenizer& rules);

}  // namespace backplane::local
