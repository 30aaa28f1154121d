// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms, exported in Prometheus' text format. Series are made once, under
// a lock; adding to one takes none, and the first threads have cells of their own, so that loops do
// not pass cache lines around. bp.metrics/1 is a thin table over this class.
#pragma once

#include <backplane/metrics.h>
#include <array>
#include <atomic>
#include <backplane/result.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

class MetricsRegistry {
 public:
  static constexpr std::size_t kSeriesMax = 10000;
  static constexpr std::size_t kShardsMax = 16;

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
  // A counter or gauge whose value is asked for when it is exported. `read` is called on any thread
  // as long as this object lives, and must not block. Where the series exists, it is read anew.
  Status observe(const Definition& definition, std::function<std::int64_t()> read);
  void add(std::uint64_t handle, std::int64_t value);
  void set(std::uint64_t handle, std::int64_t value);
  std::string text() const;

  const bp_metrics* table() const { return &table_; }

 private:
  struct Series;
  struct Family;
  Series* series_at(std::uint64_t handle) const;
  Result<std::uint64_t> define_locked(const Definition& definition);

  const std::size_t shards_;  // a power of two
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> handles_;
  std::map<std::string, Family> families_;
  std::vector<std::unique_ptr<Series>> series_;
  std::atomic<std::size_t> count_{0};
  bp_metrics table_;
};

}  // namespace backplane
