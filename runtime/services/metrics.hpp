// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms, exported in Prometheus' text format. Series are made once, under
// a lock; adding to one takes none of ours. bp.metrics/1 is a thin table over this class.
#pragma once

#include <backplane/metrics.h>
#include <array>
#include <atomic>
#include <backplane/result.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Registry;
}

namespace backplane {

class MetricsRegistry {
 public:
  static constexpr std::size_t kSeriesMax = 10000;

  struct Definition {
    std::uint32_t kind = BP_METRIC_COUNTER;
    std::string name;
    std::string help;
    std::vector<std::pair<std::string, std::string>> labels;
    std::int64_t denominator = 1;
    std::vector<std::int64_t> bounds;
  };

  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // The same name and labels give the same handle; another kind under the same name is an error.
  Result<std::uint64_t> define(const Definition& definition);
  void add(std::uint64_t handle, std::int64_t value);
  void set(std::uint64_t handle, std::int64_t value);
  std::string text() const;

  const bp_metrics* table() const { return &table_; }

 private:
  struct Series;
  Series* series_at(std::uint64_t handle) const;
  void make(const Definition& definition, Series& series);

  std::unique_ptr<prometheus::Registry> registry_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> handles_;
  std::map<std::string, std::uint32_t> kinds_;
  std::vector<std::unique_ptr<Series>> series_;
  std::atomic<std::size_t> count_{0};
  bp_metrics table_;
};

}  // namespace backplane
