// SPDX-License-Identifier: Apache-2.0
// The CPU's operators, one file each; their contracts are in kernels/device.hpp. Those that take
// a pool split their work over it, the others are too small to gain.
#pragma once

#include <span>

#include "kernels/cpu/quantized_activations.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/device.hpp"

namespace backplane::kernels::cpu {

void embed(const Weights& table, std::span<const std::int32_t> tokens, Matrix out);
// Types that are numbers.
void matmul(ThreadPool& pool, const Weights& weights, ConstMatrix x, Matrix out);
// Quantised types, with activations rounded to bytes in `buffer`.
void matmul_quantized(ThreadPool& pool, const Weights& weights, ConstMatrix x, Matrix out,
                      QuantizedActivations& buffer);
void rms_norm(ConstMatrix x, const float* scale, float epsilon, Matrix out);
void rope(Matrix x, std::size_t head_size, RopePairs pairs, ConstMatrix turns);
void softmax(Matrix x);
void silu_mul(ThreadPool& pool, Matrix gate, ConstMatrix up);
void gelu_mul(ThreadPool& pool, Matrix gate, ConstMatrix up);
void add(Matrix x, ConstMatrix y);
void add_rows(Matrix x, std::span<const std::uint32_t> rows, std::span<const float> factors,
              ConstMatrix y);
void add_bias(Matrix x, const float* bias);
void scale(Matrix x, float factor);
void soft_cap(ThreadPool& pool, Matrix x, float cap);
// Heads with the same keys and values that one thread computes together, at most.
inline constexpr std::size_t kAttentionHeadsMax = 16;

void store(ConstMatrix keys, ConstMatrix values, std::size_t head_size,
           std::span<const PageSlot> slots, const PagedRows& cached_keys,
           const PagedRows& cached_values);
void attention(ThreadPool& pool, ConstMatrix queries, const PagedRows& keys,
               const PagedRows& values, std::span<const AttentionSpan> spans,
               const HeadShape& shape, Matrix out);

// The instruction set the operators run on here, e.g. "AVX3".
const char* instruction_set();

}  // namespace backplane::kernels::cpu
