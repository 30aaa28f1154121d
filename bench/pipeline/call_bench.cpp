// SPDX-License-Identifier: Apache-2.0
// A whole call without a network: begin, scan, route, submit, head, one text, end, release; and one
// that the cache answers.
#include "bench/pipeline/open_gateway.hpp"

#include <backplane/plugin.hpp>

#include <benchmark/benchmark.h>

#include <array>

namespace backplane::bench {
namespace {

constexpr std::size_t kCallsAtOnce = 64;

void answer(const bp_sink& sink) {
  EventWriter events(sink);
  events.text("hello");
  events.end();
}

struct Client {
  bp_call* call = nullptr;
  bp_sink sink{sizeof(bp_sink), 0, this, [](void* self, const bp_event* event) -> std::uint32_t {
                 if (event->type != BP_EVENT_END) return BP_FLOW_CONTINUE;
                 bp_call* const over = static_cast<Client*>(self)->call;
                 over->release(over);
                 return BP_FLOW_STOP;
               }};
};

void run_calls(benchmark::State& state, const CacheRules& rules) {
  OpenGateway gateway(answer, rules);
  std::array<Client, kCallsAtOnce> clients;
  while (state.KeepRunningBatch(kCallsAtOnce)) {
    gateway.on_loop([&] {
      for (Client& client : clients) client.call = gateway.begin(client.sink);
    });
    gateway.on_loop([] {});
  }
}

void whole_call(benchmark::State& state) {
  run_calls(state, {});
}
BENCHMARK(whole_call)->MeasureProcessCPUTime();

void cached_call(benchmark::State& state) {
  run_calls(state, {3600, 0, ""});
}
BENCHMARK(cached_call)->MeasureProcessCPUTime();

}  // namespace
}  // namespace backplane::bench
