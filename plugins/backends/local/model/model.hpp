// SPDX-License-Identifier: Apache-2.0
// A model on a device: its weights (left where the file is mapped when the device can read them
// there) and the forward pass over a mixed batch of tokens of several sequences. The networks are
// those of Llama, Mistral, Qwen, Gemma and Phi; what sets them apart is in HyperParameters, and in
// which weights a layer has.
//
// Ownership: the ModelFile and the Device outlive the Model and its KvPages.
// Threads: forward() is not re-entrant, one thread calls it. Everything else is const.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels/device.hpp"
#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/model/adaptation.hpp"
#include "plugins/backends/local/model/device_memory.hpp"
#include "plugins/backends/local/model/hyper_parameters.hpp"
#include "plugins/backends/local/model/rope_table.hpp"

namespace backplane::local {

using PageId = std::uint32_t;
using kernels::kPagePositions;

// Memory for the keys and values of all layers at `count` * kPagePositions positions. Which
// sequence has which page is the caller's business.
class KvPages {
 public:
  KvPages(DeviceMemory memory, std::size_t count, std::size_t part_size, std::size_t layers)
      : memory_(std::move(memory)), count_(count), part_size_(part_size), layers_(layers) {}
  std::size_t count() const { return count_; }
  kernels::PagedRows keys(std::size_t layer) const { return part(2 * layer); }
  kernels::PagedRows values(std::size_t layer) const { return part(2 * layer + 1); }

 private:
  kernels::PagedRows part(std::size_t index) const {
    return {memory_.floats() + index * part_size_, 2 * layers_ * part_size_};
  }
  DeviceMemory memory_;
  std::size_t count_;
  std::size_t part_size_;  // floats of one layer's keys, or values, in one page
  std::size_t layers_;
};

// One token of a batch. `pages` holds its sequence: position p in pages[p / kPagePositions]; it is
// read until forward() returns. Entries of one sequence come in the order of their positions, and
// every earlier position is in its pages or earlier in the batch.
struct BatchEntry {
  const PageId* pages = nullptr;
  std::uint32_t position = 0;
  std::int32_t token = 0;
  bool wants_logits = false;
  bool wants_hidden = false;
  const Adaptation* adaptation = nullptr;  // nullptr: the model as it is
  float adaptation_scale = 1;
};

// Where a matrix of the file went: all of it, or the rows from `first_row` on.
struct WeightPart {
  kernels::Weights weights;
  std::size_t first_row = 0;
};

class Model {
 public:
  // `batch_tokens_max` and `logits_rows_max` bound every forward() and size its scratch memory.
  // `context_tokens`: how long a sequence may become, for models that turn their keys otherwise
  // when it may be long; 0: as long as the model allows.
  static Result<std::unique_ptr<Model>> load(const ModelFile& file, kernels::Device& device,
                                             std::size_t batch_tokens_max,
                                             std::size_t logits_rows_max,
                                             std::size_t context_tokens = 0);

  const HyperParameters& parameters() const { return parameters_; }
  std::size_t vocabulary() const { return embeddings_.rows; }
  std::uint64_t weight_count() const { return weight_count_; }

  // Of one page of a cache.
  static std::size_t page_bytes(const HyperParameters& parameters);
  // kResourceExhausted when the device has not that much memory.
  Result<std::unique_ptr<KvPages>> new_pages(std::size_t count) const;

  // What an adapter may change, by its name in the file; empty for everything else.
  std::span<const WeightPart> parts_of(std::string_view name) const;
  // Makes room for batches with adaptations; without it no entry may have one.
  Status allow_adaptations();

  // Runs the batch; row i of the result (valid until the next call, in host memory) holds the
  // logits of the i-th entry that wants them.
  kernels::ConstMatrix forward(std::span<const BatchEntry> batch, const KvPages& cache);
  // Of the last forward(), likewise: row i is the final state, normed, of the i-th entry that wants
  // it.
  kernels::ConstMatrix hidden_rows() const {
    return {host_hidden_.data(), host_hidden_.size() / parameters_.embedding,
            parameters_.embedding};
  }

 private:
  struct Projection {
    kernels::Weights weights;
    const float* bias = nullptr;  // or nullptr
  };
  // Norms that the architecture does not have are nullptr.
  struct Layer {
    bool has_window = false;
    const float* attention_norm = nullptr;
    Projection query, key, value, output;
    const float* query_norm = nullptr;
    const float* key_norm = nullptr;
    const float* attention_output_norm = nullptr;
    const float* feed_forward_norm = nullptr;
    Projection gate, up, down;
    const float* feed_forward_output_norm = nullptr;
  };
  friend class ModelLoader;

  Model(kernels::Device& device, HyperParameters parameters)
      : device_(device), parameters_(std::move(parameters)) {}
  kernels::Matrix scratch(const DeviceMemory& memory, std::size_t rows, std::size_t columns) const;
  void turn(std::span<const BatchEntry> batch);
  void locate(std::span<const BatchEntry> batch);
  void attend(const Layer& layer, const kernels::PagedRows& keys, const kernels::PagedRows& values);
  void turn_heads(kernels::Matrix heads, const float* norm, bool has_window);
  void feed_forward(const Layer& layer, std::size_t rows);
  void apply(const Projection& projection, kernels::ConstMatrix x, kernels::Matrix out);
  void normalize(kernels::ConstMatrix x, const float* scale, kernels::Matrix out);
  // hidden += x, after the norm where there is one.
  void add_to_hidden(kernels::Matrix x, const float* norm);
  kernels::ConstMatrix project(std::span<const BatchEntry> batch);
  void read_hidden(std::span<const BatchEntry> batch);

  // Rows of a batch with the same adaptation.
  struct Adapted {
    const Adaptation* adaptation = nullptr;
    std::vector<std::uint32_t> rows;
    std::vector<float> scales;
  };
  void multiply(const kernels::Weights& weights, kernels::ConstMatrix x, kernels::Matrix out);
  void group(std::span<const BatchEntry> batch, bool only_logits);
  void embed(std::span<const std::int32_t> tokens, kernels::Matrix out);
  void add_change(const Adapted& group, const Adaptation::Change& change, kernels::ConstMatrix low,
                  kernels::Matrix out);

  kernels::Device& device_;
  const HyperParameters parameters_;
  kernels::Weights embeddings_;
  Projection output_;
  const float* final_norm_ = nullptr;
  std::vector<Layer> layers_;
  std::unordered_map<std::string, std::vector<WeightPart>> parts_;
  std::vector<DeviceMemory> vectors_;  // norms and biases
  RopeTable rope_, window_rope_;
  std::uint64_t weight_count_ = 0;
  std::size_t batch_tokens_max_ = 0;
  std::size_t logits_rows_max_ = 0;

  DeviceMemory hidden_, normed_, query_, key_, value_, mixed_, gate_, up_, logits_;
  DeviceMemory turns_, window_turns_;
  std::vector<kernels::PageSlot> slots_;              // where each entry's keys and values go
  std::vector<kernels::AttentionSpan> spans_;         // what each entry attends to
  std::vector<kernels::AttentionSpan> window_spans_;  // in layers with a window
  std::vector<float> host_turns_;
  std::vector<float> host_logits_;
  std::vector<float> host_hidden_;
  std::vector<Adapted> adapted_;  // of the batch, or of its rows of logits
  DeviceMemory adapted_in_, adapted_low_, adapted_out_;
};

}  // namespace backplane::local
