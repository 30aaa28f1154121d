// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/model.hpp"

#include <cassert>
#include <cmath>
#include <cstring>

#include "plugins/backends/local/model/model_loader.hpp"

namespace backplane::local {

using kernels::ConstMatrix;
using kernels::Matrix;

Result<std::unique_ptr<Model>> Model::load(const ModelFile& file, kernels::Device& device,
                                           std::size_t batch_tokens_max,
                                           std::size_t logits_rows_max,
                                           std::size_t context_tokens) {
  auto parameters = read_hyper_parameters(file);
  if (!parameters) return parameters.error();
  ModelLoader loader(file, device, std::move(*parameters));
  return loader.load(batch_tokens_max, logits_rows_max, context_tokens);
}

std::size_t Model::page_bytes(const HyperParameters& parameters) {
  return parameters.layers * 2 * parameters.kv_size() * kPagePositions * sizeof(float);
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
  if (parameters_.architecture->scales_embeddings) {
    device_.scale(hidden, std::sqrt(static_cast<float>(parameters_.embedding)));
  }
  turn(batch);
  locate(batch);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    attend(layers_[i], cache.keys(i), cache.values(i));
    feed_forward(layers_[i], batch.size());
  }
  read_hidden(batch);
  return project(batch);
}

void Model::turn(std::span<const BatchEntry> batch) {
  const std::size_t columns = parameters_.rotary_size;
  host_turns_.resize(batch.size() * columns);
  const auto fill = [&](const RopeTable& table, const DeviceMemory& memory) {
    for (std::size_t t = 0; t < batch.size(); ++t) {
      table.turns(batch[t].position, std::span(host_turns_).subspan(t * columns, columns));
    }
    device_.upload(memory.floats(), std::as_bytes(std::span<const float>(host_turns_)));
  };
  fill(rope_, turns_);
  if (window_turns_) fill(window_rope_, window_turns_);
}

void Model::locate(std::span<const BatchEntry> batch) {
  slots_.clear();
  spans_.clear();
  window_spans_.clear();
  for (const BatchEntry& entry : batch) {
    slots_.push_back({entry.pages[entry.position / kPagePositions],
                      static_cast<std::uint32_t>(entry.position % kPagePositions)});
    const std::size_t length = entry.position + std::size_t{1};
    spans_.push_back({entry.pages, length, 0});
    const std::size_t window = parameters_.window;
    window_spans_.push_back({entry.pages, length, length > window ? length - window : 0});
  }
}

void Model::apply(const Projection& projection, ConstMatrix x, Matrix out) {
  multiply(projection.weights, x, out);
  if (projection.bias != nullptr) device_.add_bias(out, projection.bias);
}

void Model::normalize(ConstMatrix x, const float* scale, Matrix out) {
  device_.rms_norm(x, scale, parameters_.norm_epsilon, out);
}

void Model::add_to_hidden(Matrix x, const float* norm) {
  if (norm != nullptr) normalize(x, norm, x);
  device_.add(scratch(hidden_, x.rows, x.columns), x);
}

void Model::turn_heads(Matrix heads, const float* norm, bool has_window) {
  const std::size_t size = parameters_.head_size;
  if (norm != nullptr) {
    const Matrix each{heads.data, heads.rows * heads.columns / size, size};
    normalize(each, norm, each);
  }
  const DeviceMemory& turns = has_window && window_turns_ ? window_turns_ : turns_;
  device_.rope(heads, size, parameters_.architecture->pairs,
               scratch(turns, heads.rows, parameters_.rotary_size));
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

  normalize(hidden, layer.attention_norm, normed);
  apply(layer.query, normed, query);
  apply(layer.key, normed, key);
  apply(layer.value, normed, value);
  turn_heads(query, layer.query_norm, layer.has_window);
  turn_heads(key, layer.key_norm, layer.has_window);
  device_.store(key, value, parameters_.head_size, slots_, keys, values);
  device_.attention(query, keys, values, layer.has_window ? window_spans_ : spans_,
                    {parameters_.heads, parameters_.kv_heads, parameters_.head_size,
                     parameters_.score_scale, parameters_.score_cap},
                    mixed);
  apply(layer.output, mixed, normed);
  add_to_hidden(normed, layer.attention_output_norm);
}

void Model::feed_forward(const Layer& layer, std::size_t rows) {
  const Matrix hidden = scratch(hidden_, rows, parameters_.embedding);
  const Matrix normed = scratch(normed_, rows, parameters_.embedding);
  const Matrix gate = scratch(gate_, rows, parameters_.feed_forward);
  const Matrix up = scratch(up_, rows, parameters_.feed_forward);
  normalize(hidden, layer.feed_forward_norm, normed);
  apply(layer.gate, normed, gate);
  apply(layer.up, normed, up);
  if (parameters_.architecture->activation == Activation::kGelu) {
    device_.gelu_mul(gate, up);
  } else {
    device_.silu_mul(gate, up);
  }
  apply(layer.down, gate, normed);
  add_to_hidden(normed, layer.feed_forward_output_norm);
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
  normalize(last, final_norm_, last);
  group(batch, true);
  apply(output_, last, logits);
  if (parameters_.logits_cap != 0) device_.soft_cap(logits, parameters_.logits_cap);
  host_logits_.resize(rows.size() * vocabulary());
  device_.download(std::as_writable_bytes(std::span<float>(host_logits_)), logits.data);
  return {host_logits_.data(), rows.size(), vocabulary()};
}

}  // namespace backplane::local
