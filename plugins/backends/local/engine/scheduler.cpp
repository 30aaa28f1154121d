// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/scheduler.hpp"

#include <algorithm>
#include <numeric>

namespace backplane::local {

std::vector<std::size_t> plan_step(std::span<const Runnable> runnables, std::size_t budget) {
  std::vector<std::size_t> counts(runnables.size());
  std::vector<std::size_t> prompts;
  for (std::size_t i = 0; i < runnables.size(); ++i) {
    if (runnables[i].prompt_left > 0) {
      prompts.push_back(i);
    } else {
      counts[i] = 1;
    }
  }
  if (prompts.empty()) return counts;
  const std::size_t streams = runnables.size() - prompts.size();
  std::size_t left = budget > streams ? budget - streams : 1;
  const auto give = [&](std::size_t index, std::size_t most) {
    const std::size_t count = std::min({most, left, runnables[index].prompt_left - counts[index]});
    counts[index] += count;
    left -= count;
  };
  give(prompts.front(), (left + 1) / 2);
  std::stable_sort(prompts.begin(), prompts.end(), [&](std::size_t a, std::size_t b) {
    const Runnable &one = runnables[a], &other = runnables[b];
    return one.priority != other.priority ? one.priority < other.priority
                                          : one.prompt_left < other.prompt_left;
  });
  for (const std::size_t index : prompts) give(index, left);
  return counts;
}

}  // namespace backplane::local
