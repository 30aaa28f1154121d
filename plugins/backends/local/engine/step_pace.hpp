// SPDX-License-Identifier: Apache-2.0
// Learns from past steps how long one takes by the number of tokens it computes, and tells how many
// fit a given time. The last few dozen steps count, recent ones most. One thread.
#pragma once

#include <cstddef>

namespace backplane::local {

class StepPace {
 public:
  void note(std::size_t tokens, double milliseconds);
  // At least 1.
  std::size_t tokens_within(double milliseconds) const;
  // How long a step of so many tokens takes; 0 while nothing is known.
  double milliseconds_for(std::size_t tokens) const;

 private:
  struct Line {
    double fixed = 0;  // milliseconds of any step
    double each = 0;   // more for each token
  };
  Line fit() const;

  // Weighted sums of steps: their number, tokens, tokens squared, times, and times times tokens.
  double steps_ = 0, tokens_ = 0, squares_ = 0, times_ = 0, products_ = 0;
};

}  // namespace backplane::local
