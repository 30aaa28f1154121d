// SPDX-License-Identifier: Apache-2.0
// Device: the operators a transformer needs, on one processor (CPU here; others implement the
// same table). Every pointer passed to an operator lies in this device's memory: weights come
// from place_weights(), everything else from allocate().
//
// Threads: one caller at a time, but allocate(), release(), place_weights(), and upload() to memory
// that no operator is using, may be called beside it. A device may use threads of its own inside a
// call.
// Numbers: each output element is summed in an order fixed by its own inputs, so neither the
// number of threads nor the other rows of a batch change a result.
// Errors: sizes and types are the caller's duty and asserted; allocate() returns nullptr when
// memory is short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kernels/tensor.hpp"

namespace backplane::kernels {

// The shape of grouped-query attention: each key/value head serves heads / kv_heads query heads.
struct HeadShape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_size = 0;
  float score_scale = 0;  // of the products of queries and keys; 0: 1 / sqrt(head_size)
  float score_cap = 0;    // scores are cap * tanh(score / cap); 0: they stay as they are
};

// Which two of the leading floats of a head turn together.
enum class RopePairs : std::uint8_t {
  kNeighbours,  // (0,1), (2,3), ...
  kHalves,      // (0, n/2), (1, n/2 + 1), ... of n floats that turn
};

// Positions of one page of a cache; a power of two.
inline constexpr std::size_t kPagePositions = 16;

// The keys, or the values, of one layer for all sequences: page p has kPagePositions * kv_heads *
// head_size floats at data + p * page_stride, in whatever order store() likes and attention()
// expects.
struct PagedRows {
  float* data = nullptr;
  std::size_t page_stride = 0;  // floats
};

// Where the keys and values of one token lie.
struct PageSlot {
  std::uint32_t page = 0;
  std::uint32_t slot = 0;
};

// What one token attends to: the positions [first, length) of its sequence. Position p lies at slot
// p % kPagePositions of pages[p / kPagePositions]; `pages` is host memory.
struct AttentionSpan {
  const std::uint32_t* pages = nullptr;
  std::size_t length = 0;
  std::size_t first = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;

  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) = 0;
  // The same bytes where this device reads them. The host memory must outlive the device.
  virtual const std::byte* place_weights(std::span<const std::byte> host) = 0;
  virtual void upload(void* device, std::span<const std::byte> host) = 0;
  virtual void download(std::span<std::byte> host, const void* device) = 0;

  // out[i] = row tokens[i] of the table, as f32. `tokens` is host memory.
  virtual void embed(const Weights& table, std::span<const std::int32_t> tokens, Matrix out) = 0;
  // out[t][r] = sum over c of weights[r][c] * x[t][c].
  virtual void matmul(const Weights& weights, ConstMatrix x, Matrix out) = 0;
  // out[t] = x[t] / sqrt(mean(x[t]^2) + epsilon) * scale. May run in place.
  virtual void rms_norm(ConstMatrix x, const float* scale, float epsilon, Matrix out) = 0;
  // Rotates pair i of every head by its row's angle i: `turns` holds rotary_size / 2 pairs
  // (cos, sin) a row; the rest of a head stays as it is.
  virtual void rope(Matrix x, std::size_t head_size, RopePairs pairs, ConstMatrix turns) = 0;
  // Each row becomes exp(x - max) / sum.
  virtual void softmax(Matrix x) = 0;
  // gate = gate / (1 + exp(-gate)) * up.
  virtual void silu_mul(Matrix gate, ConstMatrix up) = 0;
  // gate = gelu(gate) * up, gelu by its tanh formula.
  virtual void gelu_mul(Matrix gate, ConstMatrix up) = 0;
  // x += y.
  virtual void add(Matrix x, ConstMatrix y) = 0;
  // Every row of x += bias.
  virtual void add_bias(Matrix x, const float* bias) = 0;
  // x *= factor.
  virtual void scale(Matrix x, float factor) = 0;
  // x = cap * tanh(x / cap).
  virtual void soft_cap(Matrix x, float cap) = 0;
  // x[rows[i]] += factors[i] * y[i]. `rows`, each one once, and `factors` are host memory.
  virtual void add_rows(Matrix x, std::span<const std::uint32_t> rows,
                        std::span<const float> factors, ConstMatrix y) = 0;
  // Writes row i of keys and of values, the heads of one token one after the other, to slots[i],
  // which is host memory.
  virtual void store(ConstMatrix keys, ConstMatrix values, std::size_t head_size,
                     std::span<const PageSlot> slots, const PagedRows& cached_keys,
                     const PagedRows& cached_values) = 0;
  // out[i] = x[rows[i]]. `rows` is host memory.
  virtual void gather(ConstMatrix x, std::span<const std::uint32_t> rows, Matrix out) = 0;
  // out[t] = softmax(scores of q[t] and keys) * values, head by head, over spans[t].
  virtual void attention(ConstMatrix queries, const PagedRows& keys, const PagedRows& values,
                         std::span<const AttentionSpan> spans, const HeadShape& shape,
                         Matrix out) = 0;
};

// threads = 0: as many as this process may use (affinity and cgroup quota).
std::unique_ptr<Device> make_cpu_device(std::size_t threads = 0);

}  // namespace backplane::kernels
