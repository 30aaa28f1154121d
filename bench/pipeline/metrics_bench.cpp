// SPDX-License-Identifier: Apache-2.0
// What a call adds to the metrics, by one loop and by two at once.
#include "runtime/services/metrics.hpp"

#include <benchmark/benchmark.h>

namespace backplane::bench {
namespace {

struct Series {
  MetricsRegistry registry;
  std::uint64_t live = *registry.define({BP_METRIC_GAUGE, "live", "", {}, 1, {}});
  std::uint64_t calls = *registry.define({BP_METRIC_COUNTER, "calls_total", "", {}, 1, {}});
  std::uint64_t seconds = *registry.define({BP_METRIC_HISTOGRAM,
                                            "seconds",
                                            "",
                                            {},
                                            1'000'000'000,
                                            {1'000'000, 10'000'000, 100'000'000, 1'000'000'000}});
};

void one_call_counted(benchmark::State& state) {
  static Series series;
  for (auto _ : state) {
    series.registry.add(series.live, 1);
    series.registry.add(series.calls, 1);
    series.registry.add(series.seconds, 25'000'000);
    series.registry.add(series.live, -1);
  }
}
BENCHMARK(one_call_counted)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace backplane::bench
