// SPDX-License-Identifier: Apache-2.0
// A Llama model on a device: its weights (left where the file is mapped when the device can read
// them there) and the forward pass over a mixed batch of tokens of several sequences.
//
// Ownership: the ModelFile and the Device outlive the Model; the Model outlives its KvCaches.
// Threads: forward() is not re-entrant, one thread calls it. Everything else is const.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/device.hpp"
#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/model/device_memory.hpp"
#include "plugins/backends/local/model/hyper_parameters.hpp"

namespace backplane::local {

// The keys and values of one sequence, for positions [0, capacity).
class KvCache {
 public:
  KvCache(DeviceMemory memory, std::size_t capacity, std::size_t row)
      : memory_(std::move(memory)), capacity_(capacity), row_(row) {}
  std::size_t capacity() const { return capacity_; }
  float* keys(std::size_t layer) const { return at(2 * layer); }
  float* values(std::size_t layer) const { return at(2 * layer + 1); }

 private:
  float* at(std::size_t part) const { return memory_.floats() + part * capacity_ * row_; }
  DeviceMemory memory_;
  std::size_t capacity_;
  std::size_t row_;
};

// One token of a batch. Entries of one sequence come in the order of their positions, and every
// earlier position is in the cache or earlier in the batch.
struct BatchEntry {
  KvCache* cache = nullptr;
  std::uint32_t position = 0;
  std::int32_t token = 0;
  bool wants_logits = false;
};

class Model {
 public:
  // `batch_tokens_max` and `logits_rows_max` bound every forward() and size its scratch memory.
  static Result<std::unique_ptr<Model>> load(const ModelFile& file, kernels::Device& device,
                                             std::size_t batch_tokens_max,
                                             std::size_t logits_rows_max);

  const HyperParameters& parameters() const { return parameters_; }
  std::size_t vocabulary() const { return embeddings_.rows; }
  std::uint64_t weight_count() const { return weight_count_; }

  // Bytes of a cache for `positions` tokens.
  std::size_t cache_bytes(std::size_t positions) const;
  // kResourceExhausted when the device has no memory left.
  Result<std::unique_ptr<KvCache>> new_cache(std::size_t positions) const;

  // Runs the batch; row i of the result (valid until the next call, in host memory) holds the
  // logits of the i-th entry that wants them.
  kernels::ConstMatrix forward(std::span<const BatchEntry> batch);

 private:
  struct Layer {
    const float* attention_norm = nullptr;
    kernels::Weights query, key, value, output;
    const float* feed_forward_norm = nullptr;
    kernels::Weights gate, up, down;
  };
  friend class ModelLoader;

  Model(kernels::Device& device, const HyperParameters& parameters)
      : device_(device), parameters_(parameters) {}
  kernels::Matrix scratch(const DeviceMemory& memory, std::size_t rows, std::size_t columns) const;
  void turn(std::span<const BatchEntry> batch);
  void attend(const Layer& layer, std::size_t index, std::span<const BatchEntry> batch);
  void feed_forward(const Layer& layer, std::size_t rows);
  kernels::ConstMatrix project(std::span<const BatchEntry> batch);

  kernels::Device& device_;
  HyperParameters parameters_;
  kernels::Weights embeddings_;
  kernels::Weights unembeddings_;
  const float* final_norm_ = nullptr;
  std::vector<Layer> layers_;
  std::vector<double> rope_frequencies_;
  std::uint64_t weight_count_ = 0;
  std::size_t batch_tokens_max_ = 0;
  std::size_t logits_rows_max_ = 0;

  DeviceMemory hidden_, normed_, query_, key_, value_, mixed_, gate_, up_, turns_, logits_;
  std::vector<float> host_turns_;
  std::vector<float> host_logits_;
};

}  // namespace backplane::local
