// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/model.hpp"

#include <cassert>
#include <cmath>
#include <cstring>

namespace backplane::local {

using kernels::ConstMatrix;
using kernels::Matrix;

std::size_t Model::page_bytes() const {
  return parameters_.layers * 2 * parameters_.kv_size() * kPagePositions * sizeof(float);
}

Result<std::unique_ptr<KvPages>> Model::new_pages(std::size_t count) const {
  const std::size_t part_size = kPagePositions * parameters_.kv_size();
  DeviceMemory memory(device_, count, parameters_.layers * 2 * part_size);
  if (!memory) {
    return Error{Code::kResourceExhausted,
                 "no memory for the keys and values of " + std::to_string(count * kPagePositions) +
                     " tokens; lower cache_megabytes",
                 {},
                 0,
                 0};
  }
  return std::make_unique<KvPages>(std::move(memory), count, part_size, parameters_.layers);
}

Matrix Model::scratch(const DeviceMemory& memory, std::size_t rows, std::size_t columns) const {
  return {memory.floats(), rows, columns};
}

ConstMatrix Model::forward(std::span<const BatchEntry> batch, const KvPages& cache) {
  assert(!batch.empty() && batch.size() <= batch_tokens_max_);
  std::vector<std::int32_t> tokens;
  tokens.reserve(batch.size());
  for (const BatchEntry& entry : batch) tokens.push_back(entry.token);
  const Matrix hidden = scratch(hidden_, batch.size(), parameters_.embedding);
  group(batch, false);
  embed(tokens, hidden);
  turn(batch);
  locate(batch);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    attend(layers_[i], cache.keys(i), cache.values(i));
    feed_forward(layers_[i], batch.size());
  }
  read_hidden(batch);
  return project(batch);
}

// The angles by which each token's queries and keys turn; in double, for positions are large.
void Model::turn(std::span<const BatchEntry> batch) {
  const std::size_t columns = parameters_.rotary_size;
  host_turns_.resize(batch.size() * columns);
  for (std::size_t t = 0; t < batch.size(); ++t) {
    for (std::size_t i = 0; i < rope_frequencies_.size(); ++i) {
      const double angle = batch[t].position * rope_frequencies_[i];
      host_turns_[t * columns + 2 * i] = static_cast<float>(std::cos(angle));
      host_turns_[t * columns + 2 * i + 1] = static_cast<float>(std::sin(angle));
    }
  }
  device_.upload(turns_.floats(), std::as_bytes(std::span<const float>(host_turns_)));
}

void Model::locate(std::span<const BatchEntry> batch) {
  slots_.clear();
  spans_.clear();
  for (const BatchEntry& entry : batch) {
    slots_.push_back({entry.pages[entry.position / kPagePositions],
                      static_cast<std::uint32_t>(entry.position % kPagePositions)});
    spans_.push_back({entry.pages, entry.position + std::size_t{1}});
  }
}

void Model::attend(const Layer& layer, const kernels::PagedRows& keys,
                   const kernels::PagedRows& values) {
  const std::size_t rows = spans_.size();
  const Matrix hidden = scratch(hidden_, rows, parameters_.embedding);
  const Matrix normed = scratch(normed_, rows, parameters_.embedding);
  const Matrix query = scratch(query_, rows, parameters_.query_size());
  const Matrix key = scratch(key_, rows, parameters_.kv_size());
  const Matrix value = scratch(value_, rows, parameters_.kv_size());
  const Matrix mixed = scratch(mixed_, rows, parameters_.query_size());
  const Matrix turns = scratch(turns_, rows, parameters_.rotary_size);

  device_.rms_norm(hidden, layer.attention_norm, parameters_.norm_epsilon, normed);
  multiply(layer.query, normed, query);
  multiply(layer.key, normed, key);
  multiply(layer.value, normed, value);
  device_.rope(query, parameters_.head_size, kernels::RopePairs::kNeighbours, turns);
  device_.rope(key, parameters_.head_size, kernels::RopePairs::kNeighbours, turns);

  device_.store(key, parameters_.head_size, slots_, keys);
  device_.store(value, parameters_.head_size, slots_, values);
  device_.attention(query, keys, values, spans_,
                    {parameters_.heads, parameters_.kv_heads, parameters_.head_size}, mixed);
  multiply(layer.output, mixed, normed);
  device_.add(hidden, normed);
}

void Model::feed_forward(const Layer& layer, std::size_t rows) {
  const Matrix hidden = scratch(hidden_, rows, parameters_.embedding);
  const Matrix normed = scratch(normed_, rows, parameters_.embedding);
  const Matrix gate = scratch(gate_, rows, parameters_.feed_forward);
  const Matrix up = scratch(up_, rows, parameters_.feed_forward);
  device_.rms_norm(hidden, layer.feed_forward_norm, parameters_.norm_epsilon, normed);
  multiply(layer.gate, normed, gate);
  multiply(layer.up, normed, up);
  device_.silu_mul(gate, up);
  multiply(layer.down, gate, normed);
  device_.add(hidden, normed);
}

ConstMatrix Model::project(std::span<const BatchEntry> batch) {
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].wants_logits) rows.push_back(static_cast<std::uint32_t>(i));
  }
  assert(rows.size() <= logits_rows_max_);
  if (rows.empty()) return {nullptr, 0, vocabulary()};
  const Matrix hidden = scratch(hidden_, batch.size(), parameters_.embedding);
  const Matrix last = scratch(normed_, rows.size(), parameters_.embedding);
  const Matrix logits = scratch(logits_, rows.size(), vocabulary());
  device_.gather(hidden, rows, last);
  device_.rms_norm(last, final_norm_, parameters_.norm_epsilon, last);
  group(batch, true);
  multiply(unembeddings_, last, logits);
  host_logits_.resize(rows.size() * vocabulary());
  device_.download(std::as_writable_bytes(std::span<float>(host_logits_)), logits.data);
  return {host_logits_.data(), rows.size(), vocabulary()};
}

}  // namespace backplane::local
