// SPDX-License-Identifier: Apache-2.0
// A generation that follows a grammar.
#pragma once

#include <memory>

#include "plugins/backends/local/sampling/constraint.hpp"
#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"

namespace backplane::local {

// Cheap: may be called for each request and each of its choices, on any thread. The constraint
// keeps the grammar and borrows the trie, which outlives it; afterwards it is the engine's thread's
// alone. Where the vocabulary cannot spell what must come next, only an end is left.
std::unique_ptr<Constraint> make_constraint(GrammarPointer grammar, const TokenTrie& trie);

}  // namespace backplane::local
