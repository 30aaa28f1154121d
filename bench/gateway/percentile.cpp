// SPDX-License-Identifier: Apache-2.0
#include "percentile.hpp"

#include <algorithm>

namespace backplane::bench {

double percentile_us(std::vector<std::int64_t>& samples_ns, double share) {
  if (samples_ns.empty()) return 0;
  const auto last = static_cast<double>(samples_ns.size() - 1);
  const auto place = samples_ns.begin() + static_cast<std::ptrdiff_t>(share * last);
  std::nth_element(samples_ns.begin(), place, samples_ns.end());
  return static_cast<double>(*place) / 1000;
}

}  // namespace backplane::bench
