// SPDX-License-Identifier: Apache-2.0
// What /metrics says of generations and reloads.
#pragma once

#include "runtime/services/metrics.hpp"

#include <backplane/result.hpp>
#include <cstdint>

namespace backplane {

class ReloadMetrics {
 public:
  static Result<ReloadMetrics> create(MetricsRegistry& registry);

  void serving(std::uint64_t generation) const;
  void reloaded(bool done) const;

 private:
  explicit ReloadMetrics(MetricsRegistry& registry) : registry_(&registry) {}

  MetricsRegistry* registry_;
  std::uint64_t generation_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t last_seconds_ = 0;
};

}  // namespace backplane
