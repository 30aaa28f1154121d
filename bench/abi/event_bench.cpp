// SPDX-License-Identifier: Apache-2.0
// One event from a plugin to the sink of a transport: through the table alone, through the whole
// pipeline on the call's loop, and through it from a thread of the plugin's own.
#include "bench/pipeline/open_gateway.hpp"

#include <backplane/plugin.hpp>

#include <benchmark/benchmark.h>

#include <atomic>

namespace backplane::bench {
namespace {

// Does as little as a receiver can.
class CountingSink {
 public:
  const bp_sink& sink() const { return sink_; }
  std::uint64_t count() const { return count_.load(); }

 private:
  std::atomic<std::uint64_t> count_{0};
  bp_sink sink_{sizeof(bp_sink), 0, this, [](void* self, const bp_event* /*event*/) {
                  auto& count = static_cast<CountingSink*>(self)->count_;
                  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
                  return BP_FLOW_CONTINUE;
                }};
};

// A call that has begun and is where its backend emits.
class RunningCall {
 public:
  RunningCall() : gateway_([this](const bp_sink& sink) { backend_sink_ = &sink; }) {
    gateway_.on_loop([this] { call_ = gateway_.begin(client_.sink()); });
    gateway_.on_loop([] {});
  }
  // `events` wrote to the sink before.
  void end(EventWriter& events) {
    gateway_.on_loop([&] {
      events.end();
      call_->release(call_);
    });
  }
  const bp_sink& backend_sink() const { return *backend_sink_; }
  std::uint64_t received() const { return client_.count(); }
  OpenGateway& gateway() { return gateway_; }

 private:
  CountingSink client_;
  const bp_sink* backend_sink_ = nullptr;
  bp_call* call_ = nullptr;
  OpenGateway gateway_;
};

void event_through_table(benchmark::State& state) {
  const CountingSink receiver;
  const bp_sink* sink = &receiver.sink();
  benchmark::DoNotOptimize(sink);
  EventWriter events(*sink);
  for (auto _ : state) benchmark::DoNotOptimize(events.text("hello"));
}
BENCHMARK(event_through_table);

void event_through_pipeline(benchmark::State& state) {
  RunningCall call;
  EventWriter events(call.backend_sink());
  call.gateway().on_loop([&] {
    for (auto _ : state) benchmark::DoNotOptimize(events.text("hello"));
  });
  const auto expected = static_cast<std::uint64_t>(state.iterations()) + 1;  // and the head
  if (call.received() != expected) state.SkipWithError("events were lost");
  call.end(events);
}
BENCHMARK(event_through_pipeline);

void event_from_another_thread(benchmark::State& state) {
  constexpr std::uint64_t kBatch = 256;  // fewer than a sink may have waiting
  RunningCall call;
  EventWriter events(call.backend_sink());
  std::uint64_t sent = 1;  // the head
  while (state.KeepRunningBatch(kBatch)) {
    for (std::uint64_t i = 0; i < kBatch; ++i) events.text("hello");
    sent += kBatch;
    while (call.received() != sent) call.gateway().on_loop([] {});
  }
  call.end(events);
}
BENCHMARK(event_from_another_thread)->MeasureProcessCPUTime();

}  // namespace
}  // namespace backplane::bench
