// SPDX-License-Identifier: Apache-2.0
// Decides what a step computes: one token for every stream that is generating, and what is left of
// the step's budget for the prompts that are being read. Half of that goes to the prompt that comes
// first, so that none waits forever, the rest to the shortest of the most urgent, so that a long
// prompt delays neither the streams nor a short prompt. Stateless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::local {

struct Runnable {
  std::size_t prompt_left = 0;  // 0: generating
  std::int32_t priority = 0;    // lower is more urgent
};

// The number of tokens each one gets, in their order, which is that of urgency and age. Streams get
// theirs even beyond `budget`; a prompt may get none, but the first one always gets some.
std::vector<std::size_t> plan_step(std::span<const Runnable> runnables, std::size_t budget);

}  // namespace backplane::local
