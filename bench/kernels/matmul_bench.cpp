// SPDX-License-Identifier: Apache-2.0
// One weight matrix against a few or many tokens. bytes_per_second counts weights: at one token
// it is to be compared with the memory's bandwidth. items_per_second counts multiplications.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "kernels/device.hpp"

namespace backplane::kernels {
namespace {

// Large enough to come from memory, as a model's weights do.
constexpr std::size_t kRows = 8192;
constexpr std::size_t kColumns = 4096;

void matmul(benchmark::State& state, Type type) {
  const auto tokens = static_cast<std::size_t>(state.range(0));
  const auto device = make_cpu_device(static_cast<std::size_t>(state.range(1)));
  std::mt19937 engine(1);
  std::vector<std::byte> bytes(kRows * row_bytes(type, kColumns));
  // Small numbers in every type: exponents stay away from infinity and from zero.
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(0x20 + engine() % 16);
  std::vector<float> x(tokens * kColumns, 0.5f);
  std::vector<float> out(tokens * kRows);
  for (auto _ : state) {
    device->matmul({bytes.data(), type, kRows, kColumns}, {x.data(), tokens, kColumns},
                   {out.data(), tokens, kRows});
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes.size()));
  state.SetItemsProcessed(rounds * static_cast<std::int64_t>(kRows * kColumns * tokens));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"tokens", "threads"})->UseRealTime();
  for (const std::int64_t tokens : {1, 4, 32, 128}) {
    for (const std::int64_t threads : {1, 0}) bench->Args({tokens, threads});
  }
}

BENCHMARK_CAPTURE(matmul, f32, Type::kF32)->Apply(shapes);
BENCHMARK_CAPTURE(matmul, f16, Type::kF16)->Apply(shapes);
BENCHMARK_CAPTURE(matmul, q8_0, Type::kQ8_0)->Apply(shapes);

}  // namespace
}  // namespace backplane::kernels
