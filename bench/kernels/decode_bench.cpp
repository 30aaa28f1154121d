// SPDX-License-Identifier: Apache-2.0
// Steps of a whole model, the file BACKPLANE_BENCH_MODEL names: one token for each of some
// sequences (decode), or one sequence's prompt (prefill). items_per_second counts tokens.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <numeric>

#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kBatchMax = 128;
constexpr std::uint32_t kContext = 256;

struct Loaded {
  std::unique_ptr<ModelFile> file;
  std::unique_ptr<kernels::Device> device;
  std::unique_ptr<Model> model;
};

bool load(benchmark::State& state, std::size_t threads, Loaded& loaded) {
  const char* path = std::getenv("BACKPLANE_BENCH_MODEL");
  if (path == nullptr) {
    state.SkipWithError("set BACKPLANE_BENCH_MODEL to a GGUF file");
    return false;
  }
  auto file = ModelFile::open(path);
  if (!file) return state.SkipWithError(file.error().message.c_str()), false;
  loaded.file = std::make_unique<ModelFile>(std::move(*file));
  loaded.device = kernels::make_cpu_device(threads);
  auto model = Model::load(*loaded.file, *loaded.device, kBatchMax, kBatchMax);
  if (!model) return state.SkipWithError(model.error().message.c_str()), false;
  loaded.model = std::move(*model);
  return true;
}

void decode(benchmark::State& state) {
  Loaded loaded;
  if (!load(state, static_cast<std::size_t>(state.range(1)), loaded)) return;
  const auto sequences = static_cast<std::size_t>(state.range(0));
  const std::size_t pages = kContext / kPagePositions;
  const auto cache = std::move(*loaded.model->new_pages(sequences * pages));
  std::vector<PageId> ids(cache->count());
  std::iota(ids.begin(), ids.end(), 0);
  std::uint32_t position = 0;
  for (auto _ : state) {
    std::vector<BatchEntry> batch;
    for (std::size_t i = 0; i < sequences; ++i) {
      batch.push_back({ids.data() + i * pages, position, 5, true});
    }
    benchmark::DoNotOptimize(loaded.model->forward(batch, *cache).data);
    position = (position + 1) % kContext;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * sequences));
}
BENCHMARK(decode)
    ->ArgNames({"sequences", "threads"})
    ->ArgsProduct({{1, 8, 32}, {1, 0}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void prefill(benchmark::State& state) {
  Loaded loaded;
  if (!load(state, static_cast<std::size_t>(state.range(0)), loaded)) return;
  const auto cache = std::move(*loaded.model->new_pages(kBatchMax / kPagePositions));
  std::vector<PageId> ids(cache->count());
  std::iota(ids.begin(), ids.end(), 0);
  std::vector<BatchEntry> batch;
  for (std::uint32_t i = 0; i < kBatchMax; ++i) {
    batch.push_back({ids.data(), i, 5, i + 1 == kBatchMax});
  }
  for (auto _ : state) benchmark::DoNotOptimize(loaded.model->forward(batch, *cache).data);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatchMax));
}
BENCHMARK(prefill)->ArgNames({"threads"})->Arg(1)->Arg(0)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace backplane::local
