// SPDX-License-Identifier: Apache-2.0
// What a model that ranks is given to read: a query and a document, by a template in which {query}
// and {document} stand for them, or, without one, the query, the end token and the document.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <vector>

#include "plugins/backends/local/embeddings/text_input.hpp"

namespace backplane::local {

// `prompt_template` may be empty. Where the whole is too long and `truncation` allows it the
// document is cut. `place` names the document in messages.
Result<std::vector<Token>> rank_tokens(const Engine& engine, const std::string& prompt_template,
                                       const std::string& query, const std::string& document,
                                       const Truncation& truncation, const std::string& place);

}  // namespace backplane::local
