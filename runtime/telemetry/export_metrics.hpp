// SPDX-License-Identifier: Apache-2.0
// What became of the spans of a deployment.
#pragma once

#include "runtime/services/metrics.hpp"

#include <array>
#include <backplane/result.hpp>
#include <cstdint>

namespace backplane {

enum class SpanLoss : std::uint32_t { kQueueFull, kRefused, kFailed, kShutdown };

class ExportMetrics {
 public:
  static Result<ExportMetrics> create(MetricsRegistry& registry);

  // [any-thread]
  void exported(std::uint64_t spans) { add(exported_, spans); }
  void lost(SpanLoss why, std::uint64_t spans) {
    add(lost_[static_cast<std::uint32_t>(why)], spans);
  }

 private:
  explicit ExportMetrics(MetricsRegistry& registry) : registry_(&registry) {}
  void add(std::uint64_t handle, std::uint64_t spans) {
    registry_->add(handle, static_cast<std::int64_t>(spans));
  }
  MetricsRegistry* registry_;
  std::uint64_t exported_ = 0;
  std::array<std::uint64_t, 4> lost_{};
};

}  // namespace backplane
