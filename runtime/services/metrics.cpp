// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <backplane/plugin.hpp>
#include <cassert>
#include <functional>
#include <set>

namespace backplane {

struct MetricsRegistry::Series {
  double denominator = 1;
  prometheus::Counter* counter = nullptr;
  prometheus::Gauge* gauge = nullptr;
  prometheus::Histogram* histogram = nullptr;
};

namespace {

bool valid_name(const std::string& name) {
  return !name.empty() && name.size() <= 120 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
         (name[0] < '0' || name[0] > '9');
}

// What Prometheus takes; its library throws at anything else.
bool valid_labels(const MetricsRegistry::Definition& definition) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : definition.labels) {
    const bool own = definition.kind == BP_METRIC_HISTOGRAM && name == "le";
    if (!valid_name(name) || name.substr(0, 2) == "__" || own) return false;
    if (!names.insert(name).second) return false;
  }
  return true;
}

bool ascending(const std::vector<std::int64_t>& bounds) {
  return std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
}

Status check(const MetricsRegistry::Definition& definition) {
  const char* wrong = nullptr;
  if (!valid_name(definition.name)) wrong = "expected a name of a-z, 0-9 and _";
  if (definition.denominator < 1) wrong = "expected a denominator of at least 1";
  if (definition.kind > BP_METRIC_HISTOGRAM) wrong = "unknown kind";
  if (!valid_labels(definition)) wrong = "expected labels of different names of a-z, 0-9 and _";
  if (!ascending(definition.bounds)) wrong = "expected ascending bounds";
  if (wrong == nullptr) return ok();
  return invalid_argument("metric \"" + definition.name + "\": " + wrong);
}

// Sizes go before values, which may hold any byte.
std::string key_of(const MetricsRegistry::Definition& definition) {
  const std::map<std::string, std::string> labels(definition.labels.begin(),
                                                  definition.labels.end());
  std::string key = definition.name;
  for (const auto& [name, value] : labels) {
    key += '\n' + name + ' ' + std::to_string(value.size()) + ' ' + value;
  }
  return key;
}

MetricsRegistry::Definition from_table(const bp_metric_options& options) {
  MetricsRegistry::Definition definition;
  definition.kind = options.kind;
  definition.name = view(options.name);
  definition.help = view(options.help);
  for (std::uint64_t i = 0; i < options.label_count; ++i) {
    definition.labels.emplace_back(view(options.labels[i].name), view(options.labels[i].value));
  }
  definition.denominator = options.denominator;
  definition.bounds.assign(options.bounds, options.bounds + options.bound_count);
  return definition;
}

std::uint32_t define_from_table(void* context, const bp_metric_options* options, std::uint64_t* out,
                                bp_error* error) {
  auto handle = static_cast<MetricsRegistry*>(context)->define(from_table(*options));
  if (!handle) return report(handle.error(), error);
  *out = *handle;
  return BP_CODE_OK;
}

}  // namespace

MetricsRegistry::MetricsRegistry()
    : registry_(std::make_unique<prometheus::Registry>()),
      table_{sizeof(bp_metrics),
             0,
             this,
             &define_from_table,
             [](void* self, std::uint64_t handle, std::int64_t value) {
               static_cast<MetricsRegistry*>(self)->add(handle, value);
             },
             [](void* self, std::uint64_t handle, std::int64_t value) {
               static_cast<MetricsRegistry*>(self)->set(handle, value);
             }} {
  series_.reserve(kSeriesMax);  // handles are read without the lock
}

MetricsRegistry::~MetricsRegistry() = default;

Result<std::uint64_t> MetricsRegistry::define(const Definition& definition) {
  if (const Status checked = check(definition); !checked) return checked.error();
  const std::lock_guard lock(mutex_);
  const auto [kind, is_new] = kinds_.emplace(definition.name, definition.kind);
  if (!is_new && kind->second != definition.kind) {
    return invalid_argument("metric \"" + definition.name + "\" exists with another kind");
  }
  const std::string key = key_of(definition);
  if (const auto found = handles_.find(key); found != handles_.end()) return found->second;
  if (series_.size() == kSeriesMax) {
    return Error{Code::kResourceExhausted, "there are too many metric series", {}, 0, 0};
  }
  auto series = std::make_unique<Series>();
  make(definition, *series);
  series_.push_back(std::move(series));
  count_.store(series_.size(), std::memory_order_release);
  return handles_[key] = series_.size() - 1;
}

void MetricsRegistry::make(const Definition& definition, Series& series) {
  const prometheus::Labels labels(definition.labels.begin(), definition.labels.end());
  series.denominator = static_cast<double>(definition.denominator);
  const auto named = [&](auto builder) -> auto& {
    return builder.Name(definition.name).Help(definition.help).Register(*registry_);
  };
  if (definition.kind == BP_METRIC_COUNTER) {
    series.counter = &named(prometheus::BuildCounter()).Add(labels);
  } else if (definition.kind == BP_METRIC_GAUGE) {
    series.gauge = &named(prometheus::BuildGauge()).Add(labels);
  } else {
    prometheus::Histogram::BucketBoundaries bounds;
    for (const std::int64_t bound : definition.bounds) {
      bounds.push_back(static_cast<double>(bound) / series.denominator);
    }
    series.histogram = &named(prometheus::BuildHistogram()).Add(labels, bounds);
  }
}

MetricsRegistry::Series* MetricsRegistry::series_at(std::uint64_t handle) const {
  return handle < count_.load(std::memory_order_acquire) ? series_[handle].get() : nullptr;
}

void MetricsRegistry::add(std::uint64_t handle, std::int64_t value) {
  Series* const series = series_at(handle);
  if (series == nullptr) return;
  const double scaled = static_cast<double>(value) / series->denominator;
  if (series->counter != nullptr && value >= 0) series->counter->Increment(scaled);
  if (series->gauge != nullptr) series->gauge->Increment(scaled);
  if (series->histogram != nullptr) series->histogram->Observe(scaled);
}

void MetricsRegistry::set(std::uint64_t handle, std::int64_t value) {
  Series* const series = series_at(handle);
  if (series == nullptr || series->gauge == nullptr) return;
  series->gauge->Set(static_cast<double>(value) / series->denominator);
}

std::string MetricsRegistry::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace backplane
