// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/scheduler.hpp"

#include <algorithm>
#include <cassert>

namespace backplane::local {

std::vector<std::size_t> plan_step(std::span<const Runnable> runnables, std::size_t budget) {
  assert(budget >= runnables.size());
  std::vector<std::size_t> counts(runnables.size(), 1);
  std::size_t left = budget - runnables.size();
  for (;;) {
    std::size_t hungry = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] < runnables[i].prompt_left) ++hungry;
    }
    if (hungry == 0 || left == 0) return counts;
    const std::size_t share = std::max<std::size_t>(left / hungry, 1);
    for (std::size_t i = 0; i < counts.size() && left > 0; ++i) {
      if (counts[i] >= runnables[i].prompt_left) continue;
      const std::size_t more = std::min({share, left, runnables[i].prompt_left - counts[i]});
      counts[i] += more;
      left -= more;
    }
  }
}

}  // namespace backplane::local
