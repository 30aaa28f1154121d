// SPDX-License-Identifier: Apache-2.0
// What a generation may say next: the tokens that a grammar allows after those it has accepted.
// One generation, one constraint, the engine's thread.
#pragma once

#include <cstdint>
#include <span>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

class Constraint {
 public:
  virtual ~Constraint() = default;
  // Clears the bit of every token that may not come next; bit i % 64 of word i / 64 is token i.
  // Tokens that end a generation stay allowed exactly where the text is complete. At least one
  // token is left.
  virtual void restrict(std::span<std::uint64_t> allowed) = 0;
  // The token that was picked; one that restrict() left.
  virtual void accept(Token token) = 0;
  // Nothing but an end can follow.
  virtual bool is_over() const = 0;
};

}  // namespace backplane::local
