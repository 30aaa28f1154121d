// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kVocabularyMax = 1u << 20;

std::string shape_text(std::span<const std::uint64_t> dimensions) {
  std::string text = "[";
  for (const std::uint64_t dimension : dimensions) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

// ggml's names of types are ours.
const kernels::Type* find_type(std::uint32_t ggml_type) {
  const std::string_view name = find_ggml_type(ggml_type)->name;
  const auto* found =
      std::find_if(std::begin(kernels::kTypes), std::end(kernels::kTypes),
                   [&](kernels::Type type) { return name == kernels::layout_of(type).name; });
  return found == std::end(kernels::kTypes) ? nullptr : found;
}

}  // namespace

// Finds each tensor, checks it, and places it on the device. The first failure sticks.
class ModelLoader {
 public:
  ModelLoader(const ModelFile& file, kernels::Device& device, const HyperParameters& parameters)
      : file_(file), device_(device), sizes_(parameters), model_(new Model(device, parameters)) {}

  Result<std::unique_ptr<Model>> load(std::size_t batch_tokens_max, std::size_t logits_rows_max) {
    load_embeddings();
    for (std::size_t i = 0; i < sizes_.layers && !failed_; ++i) load_layer(i);
    load_rope_frequencies();
    if (!failed_) allocate(batch_tokens_max, logits_rows_max);
    if (failed_) return error_;
    for (const FileTensor& tensor : file_.tensors()) {
      std::uint64_t weights = 1;
      for (const std::uint64_t dimension : tensor.dimensions) weights *= dimension;
      model_->weight_count_ += weights;
    }
    return std::move(model_);
  }

 private:
  void fail(Error error) {
    if (!failed_) error_ = std::move(error);
    failed_ = true;
  }

  const FileTensor* find(const std::string& name, std::vector<std::uint64_t> shape) {
    const FileTensor* tensor = file_.tensor(name);
    if (tensor == nullptr) {
      fail(file_.wrong("tensor " + name, "is missing; convert the model again"));
      return nullptr;
    }
    if (tensor->dimensions != shape) {
      fail(file_.wrong("tensor " + name, "has shape " + shape_text(tensor->dimensions) +
                                             ", expected " + shape_text(shape)));
      return nullptr;
    }
    return tensor;
  }

  kernels::Weights weights(const std::string& name, std::size_t columns, std::size_t rows) {
    const FileTensor* tensor = find(name, {columns, rows});
    if (tensor == nullptr) return {};
    const kernels::Type* type = find_type(tensor->type);
    if (type == nullptr) {
      fail(file_.wrong("tensor " + name, std::string("has type ") +
                                             find_ggml_type(tensor->type)->name +
                                             "; use a file of another type, such as Q8_0 or Q4_K"));
      return {};
    }
    const kernels::Weights placed{device_.place_weights(tensor->data), *type, rows, columns};
    model_->parts_[name] = {{placed, 0}};
    return placed;
  }

  const float* vector(const std::string& name, std::size_t size) {
    const FileTensor* tensor = find(name, {size});
    if (tensor == nullptr) return nullptr;
    if (tensor->type != 0) {
      fail(file_.wrong(
          "tensor " + name,
          std::string("has type ") + find_ggml_type(tensor->type)->name + ", expected F32"));
      return nullptr;
    }
    return reinterpret_cast<const float*>(device_.place_weights(tensor->data));
  }

  void load_embeddings() {
    const FileTensor* table = file_.tensor("token_embd.weight");
    const bool matrix = table != nullptr && table->dimensions.size() == 2;
    const std::uint64_t rows = matrix ? table->dimensions[1] : 0;
    if (rows > kVocabularyMax) {
      return fail(file_.wrong("tensor token_embd.weight", "has more rows than any vocabulary"));
    }
    const auto vocabulary = static_cast<std::size_t>(rows);
    model_->embeddings_ = weights("token_embd.weight", sizes_.embedding, vocabulary);
    const bool tied = file_.tensor("output.weight") == nullptr;
    model_->unembeddings_ =
        tied ? model_->embeddings_ : weights("output.weight", sizes_.embedding, vocabulary);
    if (tied) model_->parts_["output.weight"] = {{model_->unembeddings_, 0}};
    model_->final_norm_ = vector("output_norm.weight", sizes_.embedding);
  }

  void load_layer(std::size_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const HyperParameters& s = sizes_;
    Model::Layer layer;
    layer.attention_norm = vector(prefix + "attn_norm.weight", s.embedding);
    layer.query = weights(prefix + "attn_q.weight", s.embedding, s.query_size());
    layer.key = weights(prefix + "attn_k.weight", s.embedding, s.kv_size());
    layer.value = weights(prefix + "attn_v.weight", s.embedding, s.kv_size());
    layer.output = weights(prefix + "attn_output.weight", s.query_size(), s.embedding);
    layer.feed_forward_norm = vector(prefix + "ffn_norm.weight", s.embedding);
    layer.gate = weights(prefix + "ffn_gate.weight", s.embedding, s.feed_forward);
    layer.up = weights(prefix + "ffn_up.weight", s.embedding, s.feed_forward);
    layer.down = weights(prefix + "ffn_down.weight", s.feed_forward, s.embedding);
    model_->layers_.push_back(layer);
  }

  // Llama 3.1 and later store a divisor for each frequency.
  void load_rope_frequencies() {
    const std::size_t pairs = sizes_.rotary_size / 2;
    std::vector<float> divisors(pairs, 1.0f);
    if (file_.tensor("rope_freqs.weight") != nullptr) {
      const FileTensor* tensor = find("rope_freqs.weight", {pairs});
      if (tensor == nullptr) return;
      if (tensor->type != 0) return fail(file_.wrong("tensor rope_freqs.weight", "is not F32"));
      std::memcpy(divisors.data(), tensor->data.data(), tensor->data.size());
    }
    for (std::size_t i = 0; i < pairs; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(2 * pairs);
      model_->rope_frequencies_.push_back(std::pow(sizes_.rope_base, exponent) / sizes_.rope_scale /
                                          static_cast<double>(divisors[i]));
    }
  }

  void allocate(std::size_t batch_tokens, std::size_t logits_rows) {
    assert(logits_rows > 0 && logits_rows <= batch_tokens);
    Model& m = *model_;
    m.batch_tokens_max_ = batch_tokens;
    m.logits_rows_max_ = logits_rows;
    const auto make = [&](DeviceMemory& memory, std::size_t rows, std::size_t columns) {
      memory = DeviceMemory(device_, rows, columns);
      if (!memory) fail(file_.wrong("loading", "not enough memory for the activations"));
    };
    make(m.hidden_, batch_tokens, sizes_.embedding);
    make(m.normed_, batch_tokens, sizes_.embedding);
    make(m.query_, batch_tokens, sizes_.query_size());
    make(m.mixed_, batch_tokens, sizes_.query_size());
    make(m.key_, batch_tokens, sizes_.kv_size());
    make(m.value_, batch_tokens, sizes_.kv_size());
    make(m.gate_, batch_tokens, sizes_.feed_forward);
    make(m.up_, batch_tokens, sizes_.feed_forward);
    make(m.turns_, batch_tokens, sizes_.rotary_size);
    make(m.logits_, logits_rows, m.vocabulary());
  }

  const ModelFile& file_;
  kernels::Device& device_;
  const HyperParameters& sizes_;
  std::unique_ptr<Model> model_;
  bool failed_ = false;
  Error error_;
};

Result<std::unique_ptr<Model>> Model::load(const ModelFile& file, kernels::Device& device,
                                           std::size_t batch_tokens_max,
                                           std::size_t logits_rows_max) {
  const auto parameters = read_hyper_parameters(file);
  if (!parameters) return parameters.error();
  return ModelLoader(file, device, *parameters).load(batch_tokens_max, logits_rows_max);
}

}  // namespace backplane::local
