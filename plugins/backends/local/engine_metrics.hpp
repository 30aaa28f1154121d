// SPDX-License-Identifier: Apache-2.0
// What an engine measures, as series of the host's /metrics (docs/metrics.md). Counts nothing where
// the host has none.
#pragma once

#include <backplane/metrics.h>

#include <backplane/plugin.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "plugins/backends/local/engine/meters.hpp"

namespace backplane::local {

class EngineMetrics final : public EngineMeters {
 public:
  // [control] `backend` is the label of that name.
  EngineMetrics(const Host& host, std::string_view backend);

  void on_gauges(const EngineGauges& gauges) override;
  void on_step(std::size_t sequences, std::size_t streams, std::size_t tokens,
               std::int64_t duration_ns) override;
  void on_prefix_hit(std::size_t tokens) override;
  void on_preemption() override;
  void on_first_token(std::int64_t since_arrival_ns) override;
  void on_next_token(std::int64_t since_last_ns) override;

 private:
  using Series = std::uint64_t;
  struct Definition {
    std::uint32_t kind;
    std::string_view name;
    std::string_view help;
    bp_pair label{};  // besides that of the backend; no name: none
    std::int64_t denominator = 1;
    std::span<const std::int64_t> bounds{};
  };
  Series define(const Definition& definition);
  void add(Series series, std::size_t value) const;
  void set(Series series, std::size_t value) const;
  void observe_ns(Series series, std::int64_t value_ns) const;

  const Host host_;
  const std::string_view backend_;  // while the series are made
  const bp_metrics* metrics_;
  Series waiting_ = 0, running_ = 0, loaded_ = 0;
  Series used_pages_ = 0, cached_pages_ = 0, free_pages_ = 0;
  Series sequences_ = 0, step_seconds_ = 0, first_token_ = 0, next_token_ = 0;
  Series prompt_tokens_ = 0, generated_tokens_ = 0, prefix_tokens_ = 0, preemptions_ = 0;
};

}  // namespace backplane::local
