// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/tracer.hpp"

#include <string.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace backplane {
namespace {

// As consistent probability sampling has it: traces whose last 56 bits are at least this.
std::uint64_t threshold_of(double ratio) {
  constexpr double kAll = 72'057'594'037'927'936.0;  // 2^56
  return static_cast<std::uint64_t>((1.0 - std::clamp(ratio, 0.0, 1.0)) * kAll);
}

std::uint64_t last_56_bits(const TraceId& id) {
  std::uint64_t bits = 0;
  for (std::size_t i = id.size() - 7; i < id.size(); ++i) bits = bits << 8U | id[i];
  return bits;
}

ExportFrame frame_of(const TracerSettings& settings, const bp_clock& clock) {
  TraceId instance{};
  clock.random(clock.context, instance.data(), instance.size());
  std::vector<std::pair<std::string, std::string>> attributes = {
      {"service.name", settings.service_name},
      {"service.version", BACKPLANE_VERSION},
      {"service.instance.id", hex_of(instance)}};
  for (const auto& attribute : settings.attributes) {
    const auto same = std::find_if(attributes.begin(), attributes.end(),
                                   [&](const auto& each) { return each.first == attribute.first; });
    if (same == attributes.end()) {
      attributes.push_back(attribute);
    } else {
      same->second = attribute.second;
    }
  }
  return make_export_frame(attributes, BACKPLANE_VERSION);
}

std::string url_of(std::string endpoint) {
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.pop_back();
  return endpoint + "/v1/traces";
}

// Counts loops down. Owned by all that wait and report: the last one may come too late.
struct Countdown {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left;

  explicit Countdown(std::size_t count) : left(count) {}
  void one_done() {
    const std::lock_guard lock(mutex);
    --left;
    changed.notify_all();
  }
  void wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, time, [this] { return left == 0; });
  }
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return left == 0; });
  }
};

struct LoopWork {
  SpanExporter& exporter;
  std::function<void(SpanExporter&)> work;
};

void post(const bp_loop_service& loops, SpanExporter& exporter,
          std::function<void(SpanExporter&)> work) {
  loops.post(
      exporter.loop(),
      [](void* argument) {
        const std::unique_ptr<LoopWork> task(static_cast<LoopWork*>(argument));
        task->work(task->exporter);
      },
      new LoopWork{exporter, std::move(work)});
}

}  // namespace

Result<std::unique_ptr<Tracer>> Tracer::create(const TracerServices& services,
                                               TracerSettings settings) {
  Result<ExportMetrics> metrics = ExportMetrics::create(services.registry);
  if (!metrics) return metrics.error();
  return std::unique_ptr<Tracer>(new Tracer(services, std::move(settings), *metrics));
}

Tracer::Tracer(const TracerServices& services, TracerSettings settings, ExportMetrics metrics)
    : context_{services.loops,
               services.http,
               services.clock,
               services.logger,
               metrics,
               url_of(settings.endpoint),
               std::move(settings.headers),
               frame_of(settings, services.clock)},
      threshold_(threshold_of(settings.sample_ratio)) {
  const bp_loop_service& loops = services.loops;
  for (std::uint32_t i = 0; i < loops.count; ++i) {
    exporters_.push_back(std::make_unique<SpanExporter>(context_, loops.at(loops.context, i)));
  }
}

Tracer::~Tracer() {
  for (auto& [name, value] : context_.headers) explicit_bzero(value.data(), value.size());
}

TraceContext Tracer::new_trace() const {
  TraceContext trace;
  const bp_clock& clock = context_.clock;
  while (trace.trace_id == TraceId{}) {
    clock.random(clock.context, trace.trace_id.data(), trace.trace_id.size());
  }
  const bool is_recorded = last_56_bits(trace.trace_id) >= threshold_;
  trace.flags = kTraceRandom | (is_recorded ? kTraceSampled : std::uint8_t{0});
  return trace;
}

SpanId Tracer::new_span_id() const {
  SpanId id{};
  const bp_clock& clock = context_.clock;
  while (id == SpanId{}) clock.random(clock.context, id.data(), id.size());
  return id;
}

void Tracer::export_span(bp_loop* loop, std::string_view span) {
  for (const auto& exporter : exporters_) {
    if (exporter->loop() == loop) return exporter->add(span);
  }
}

void Tracer::stop(std::uint64_t timeout_ms) {
  if (std::exchange(stopped_, true)) return;
  const auto flushed = std::make_shared<Countdown>(exporters_.size());
  for (const auto& exporter : exporters_) {
    post(context_.loops, *exporter,
         [flushed](SpanExporter& self) { self.flush([flushed] { flushed->one_done(); }); });
  }
  flushed->wait_for(std::chrono::milliseconds(timeout_ms));
  const auto closed = std::make_shared<Countdown>(exporters_.size());
  for (const auto& exporter : exporters_) {
    post(context_.loops, *exporter, [closed](SpanExporter& self) {
      self.close();
      closed->one_done();
    });
  }
  closed->wait();
}

}  // namespace backplane
