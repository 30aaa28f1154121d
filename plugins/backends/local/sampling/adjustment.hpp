// SPDX-License-Identifier: Apache-2.0
// What changes a row of logits before a token is drawn from it: biases, penalties for tokens that
// have come before, and tokens that may not come. One request, one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct LogitBias {
  Token token = 0;
  float bias = 0;  // added; -100 bans, 100 all but forces
};

struct PenaltyOptions {
  // Logits of tokens in prompt or answer: divided by it where positive, else multiplied. 1: off.
  float repetition = 1;
  float presence = 0;   // subtracted for every token of the answer so far
  float frequency = 0;  // subtracted for each time it is there

  bool any() const { return repetition != 1 || presence != 0 || frequency != 0; }
};

// Which tokens may come next.
struct Choosable {
  std::span<const std::uint64_t> allowed;  // a bit each, as Constraint has them; empty: all
  std::span<const Token> banned;
};

class Adjustment {
 public:
  // Tokens are in the vocabulary. `prompt` is read here only.
  Adjustment(const PenaltyOptions& penalties, std::vector<LogitBias> biases,
             std::span<const Token> prompt);

  // `logits` as they are, or changed in `space`.
  std::span<const float> apply(std::span<const float> logits, const Choosable& choosable,
                               std::vector<float>& space) const;
  // A token of the answer.
  void accept(Token token);

 private:
  struct Seen {
    Token token;
    std::uint32_t count;  // in the answer
  };
  void penalize(std::span<float> logits) const;
  void note(Token token, std::uint32_t count);

  const PenaltyOptions penalties_;
  const std::vector<LogitBias> biases_;
  std::vector<Seen> seen_;
  std::vector<std::uint32_t> places_;  // in seen_, one more than that, by token; 0: not seen
};

}  // namespace backplane::local
