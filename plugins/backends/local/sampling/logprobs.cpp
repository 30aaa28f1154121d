// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/logprobs.hpp"

#include <algorithm>
#include <cmath>

#include "plugins/backends/local/sampling/selection.hpp"

namespace backplane::local {

LogprobEntry logprobs_of(std::span<const float> logits, Token picked, std::uint32_t top) {
  const float best = highest(logits);
  const float total = best + static_cast<float>(std::log(sum_of_weights(logits, best)));
  const auto of = [&](Token token) -> TokenLogprob {
    const float logprob = logits[static_cast<std::size_t>(token)] - total;
    return {token, std::isfinite(logprob) ? std::clamp(logprob, kLogprobMin, 0.0f) : kLogprobMin};
  };
  LogprobEntry entry{of(picked), {}};
  if (top == 0) return entry;
  std::vector<Candidate> largest;
  select_largest(logits, top, largest);
  for (const Candidate& one : largest) entry.top.push_back(of(one.token));
  return entry;
}

}  // namespace backplane::local
