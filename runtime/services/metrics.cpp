// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <backplane/plugin.hpp>
#include <bit>
#include <limits>
#include <set>
#include <thread>

namespace backplane {

namespace {

// Of one shard: what one processor writes shares no cache line with another's.
struct alignas(64) Line {
  std::array<std::atomic<std::int64_t>, 8> cells{};
};

std::size_t lines_for(std::size_t cells) {
  constexpr std::size_t kCells = std::tuple_size_v<decltype(Line::cells)>;
  return (cells + kCells - 1) / kCells;
}

// Threads in turn, in the order in which they first count something: the loops are neighbours.
std::size_t own_shard() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t own = next.fetch_add(1, std::memory_order_relaxed);
  return own;
}

}  // namespace

// Of a histogram: observations by bucket, those above all bounds, and the sum of their values.
struct MetricsRegistry::Series {
  std::uint32_t kind;
  double denominator;
  std::vector<std::int64_t> bounds;
  prometheus::ClientMetric labelled;
  std::function<std::int64_t()> read;
  std::size_t lines_per_shard;
  std::size_t shards;
  std::vector<Line> lines;

  Series(const Definition& definition, std::size_t shard_count)
      : kind(definition.kind),
        denominator(static_cast<double>(definition.denominator)),
        bounds(definition.kind == BP_METRIC_HISTOGRAM ? definition.bounds
                                                      : std::vector<std::int64_t>{}),
        lines_per_shard(lines_for(bounds.size() + 2)),
        shards(shard_count),
        lines(lines_per_shard * shards) {
    const std::map<std::string, std::string> sorted(definition.labels.begin(),
                                                    definition.labels.end());
    for (const auto& [name, value] : sorted) labelled.label.push_back({name, value});
  }

  std::atomic<std::int64_t>& cell(std::size_t shard, std::size_t index) {
    Line* const line = &lines[shard * lines_per_shard];
    return line[index / line->cells.size()].cells[index % line->cells.size()];
  }
  void add(std::size_t index, std::int64_t value) {
    cell(own_shard() & (shards - 1), index).fetch_add(value, std::memory_order_relaxed);
  }
  void observe(std::int64_t value) {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value);
    add(static_cast<std::size_t>(bucket - bounds.begin()), 1);
    add(bounds.size() + 1, value);
  }
  void set(std::int64_t value) {
    for (std::size_t shard = 1; shard < shards; ++shard) cell(shard, 0).store(0);
    cell(0, 0).store(value);
  }
  std::int64_t total(std::size_t index) {
    std::int64_t sum = 0;
    for (std::size_t shard = 0; shard < shards; ++shard) {
      sum += cell(shard, index).load(std::memory_order_relaxed);
    }
    return sum;
  }

  prometheus::ClientMetric collect() {
    prometheus::ClientMetric metric = labelled;
    if (kind == BP_METRIC_HISTOGRAM) {
      collect(metric.histogram);
    } else {
      const auto value = static_cast<double>(read ? read() : total(0)) / denominator;
      metric.counter.value = value;
      metric.gauge.value = value;
    }
    return metric;
  }
  void collect(prometheus::ClientMetric::Histogram& histogram) {
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      histogram.sample_count += static_cast<std::uint64_t>(total(i));
      const double bound = i < bounds.size() ? static_cast<double>(bounds[i]) / denominator
                                             : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(total(bounds.size() + 1)) / denominator;
  }
};

struct MetricsRegistry::Family {
  std::uint32_t kind;
  std::string help;
  std::vector<Series*> series;
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
    : shards_(std::bit_floor(std::clamp<std::size_t>(
          std::size_t{2} * std::thread::hardware_concurrency(), 1, kShardsMax))),
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
  const std::lock_guard lock(mutex_);
  return define_locked(definition);
}

Status MetricsRegistry::observe(const Definition& definition, std::function<std::int64_t()> read) {
  const std::lock_guard lock(mutex_);
  const Result<std::uint64_t> handle = define_locked(definition);
  if (!handle) return handle.error();
  series_[*handle]->read = std::move(read);
  return ok();
}

Result<std::uint64_t> MetricsRegistry::define_locked(const Definition& definition) {
  if (const Status checked = check(definition); !checked) return checked.error();
  const auto family = families_.find(definition.name);
  if (family != families_.end() && family->second.kind != definition.kind) {
    return invalid_argument("metric \"" + definition.name + "\" exists with another kind");
  }
  const std::string key = key_of(definition);
  if (const auto found = handles_.find(key); found != handles_.end()) return found->second;
  if (series_.size() == kSeriesMax) {
    return Error{Code::kResourceExhausted, "there are too many metric series", {}, 0, 0};
  }
  series_.push_back(std::make_unique<Series>(definition, shards_));
  Family& named = families_[definition.name];
  if (named.series.empty()) named = {definition.kind, definition.help, {}};
  named.series.push_back(series_.back().get());
  count_.store(series_.size(), std::memory_order_release);
  return handles_[key] = series_.size() - 1;
}

MetricsRegistry::Series* MetricsRegistry::series_at(std::uint64_t handle) const {
  return handle < count_.load(std::memory_order_acquire) ? series_[handle].get() : nullptr;
}

void MetricsRegistry::add(std::uint64_t handle, std::int64_t value) {
  Series* const series = series_at(handle);
  if (series == nullptr) return;
  if (series->kind == BP_METRIC_HISTOGRAM) return series->observe(value);
  if (series->kind == BP_METRIC_GAUGE || value >= 0) series->add(0, value);
}

void MetricsRegistry::set(std::uint64_t handle, std::int64_t value) {
  Series* const series = series_at(handle);
  if (series != nullptr && series->kind == BP_METRIC_GAUGE) series->set(value);
}

std::string MetricsRegistry::text() const {
  constexpr std::array<prometheus::MetricType, 3> kTypes = {prometheus::MetricType::Counter,
                                                            prometheus::MetricType::Gauge,
                                                            prometheus::MetricType::Histogram};
  const std::lock_guard lock(mutex_);
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [name, family] : families_) {
    families.push_back({name, family.help, kTypes[family.kind], {}});
    for (Series* series : family.series) families.back().metric.push_back(series->collect());
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace backplane
