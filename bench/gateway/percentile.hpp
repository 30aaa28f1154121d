// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace backplane::bench {

// In microseconds; 0 where there is no sample. Reorders the samples.
double percentile_us(std::vector<std::int64_t>& samples_ns, double share);

}  // namespace backplane::bench
