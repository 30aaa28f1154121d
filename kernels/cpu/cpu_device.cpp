// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu/operators.hpp"

namespace backplane::kernels {
namespace {

constexpr std::size_t kAlignment = 64;

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(std::size_t threads) : pool_(threads) {}

  std::string name() const override {
    return std::string("cpu ") + cpu::instruction_set() + " x" + std::to_string(pool_.threads());
  }

  void* allocate(std::size_t bytes) override {
    if (bytes > SIZE_MAX - kAlignment) return nullptr;
    return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  }
  void release(void* memory) override { std::free(memory); }
  const std::byte* place_weights(std::span<const std::byte> host) override { return host.data(); }
  void upload(void* device, std::span<const std::byte> host) override {
    std::memcpy(device, host.data(), host.size());
  }
  void download(std::span<std::byte> host, const void* device) override {
    std::memcpy(host.data(), device, host.size());
  }

  void embed(const Weights& table, std::span<const std::int32_t> tokens, Matrix out) override {
    cpu::embed(table, tokens, out);
  }
  void matmul(const Weights& weights, ConstMatrix x, Matrix out) override {
    assert(x.columns == weights.columns && out.columns == weights.rows && out.rows == x.rows);
    if (layout_of(weights.type).block_weights > 1) {
      return cpu::matmul_quantized(pool_, weights, x, out, activations_);
    }
    cpu::matmul(pool_, weights, x, out);
  }
  void rms_norm(ConstMatrix x, const float* scale, float epsilon, Matrix out) override {
    cpu::rms_norm(x, scale, epsilon, out);
  }
  void rope(Matrix x, std::size_t head_size, RopePairs pairs, ConstMatrix turns) override {
    cpu::rope(x, head_size, pairs, turns);
  }
  void softmax(Matrix x) override { cpu::softmax(x); }
  void silu_mul(Matrix gate, ConstMatrix up) override { cpu::silu_mul(pool_, gate, up); }
  void gelu_mul(Matrix gate, ConstMatrix up) override { cpu::gelu_mul(pool_, gate, up); }
  void add(Matrix x, ConstMatrix y) override { cpu::add(x, y); }
  void add_rows(Matrix x, std::span<const std::uint32_t> rows, std::span<const float> factors,
                ConstMatrix y) override {
    cpu::add_rows(x, rows, factors, y);
  }
  void add_bias(Matrix x, const float* bias) override { cpu::add_bias(x, bias); }
  void scale(Matrix x, float factor) override { cpu::scale(x, factor); }
  void soft_cap(Matrix x, float cap) override { cpu::soft_cap(pool_, x, cap); }
  void store(ConstMatrix keys, ConstMatrix values, std::size_t head_size,
             std::span<const PageSlot> slots, const PagedRows& cached_keys,
             const PagedRows& cached_values) override {
    cpu::store(keys, values, head_size, slots, cached_keys, cached_values);
  }
  void gather(ConstMatrix x, std::span<const std::uint32_t> rows, Matrix out) override {
    assert(out.rows == rows.size() && out.columns == x.columns);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(x.row(rows[i]), x.columns, out.row(i));
    }
  }
  void attention(ConstMatrix queries, const PagedRows& keys, const PagedRows& values,
                 std::span<const AttentionSpan> spans, const HeadShape& shape,
                 Matrix out) override {
    cpu::attention(pool_, queries, keys, values, spans, shape, out);
  }

 private:
  ThreadPool pool_;
  cpu::QuantizedActivations activations_;
};

}  // namespace

std::unique_ptr<Device> make_cpu_device(std::size_t threads) {
  return std::make_unique<CpuDevice>(threads == 0 ? available_cpus() : threads);
}

}  // namespace backplane::kernels
