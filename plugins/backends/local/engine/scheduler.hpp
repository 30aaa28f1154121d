// SPDX-License-Identifier: Apache-2.0
// Decides what a step computes: one token for every stream that is generating, and what is left
// of the step's budget in equal shares for the prompts that are waiting to be read, so that a
// long prompt delays neither the streams nor a short prompt. Stateless.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace backplane::local {

struct Runnable {
  std::size_t prompt_left = 0;  // 0: generating
};

// The number of tokens each one gets, in their order; together at most `budget`. Needs
// budget >= runnables.size(), so that each gets at least one.
std::vector<std::size_t> plan_step(std::span<const Runnable> runnables, std::size_t budget);

}  // namespace backplane::local
