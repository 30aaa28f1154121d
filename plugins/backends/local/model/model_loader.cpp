// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/model_loader.hpp"

#include <cassert>
#include <numeric>

namespace backplane::local {
namespace {

constexpr std::size_t kVocabularyMax = 1u << 20;

}  // namespace

ModelLoader::ModelLoader(const ModelFile& file, kernels::Device& device, HyperParameters parameters)
    : file_(file),
      device_(device),
      model_(new Model(device, std::move(parameters))),
      sizes_(model_->parameters_) {}

Result<std::unique_ptr<Model>> ModelLoader::load(std::size_t batch_tokens, std::size_t logits_rows,
                                                 std::size_t context_tokens) {
  load_embeddings();
  for (std::size_t i = 0; i < sizes_.layers && !failed_; ++i) load_layer(i);
  if (!failed_) load_rope(context_tokens);
  if (!failed_) check_all_used();
  if (!failed_) allocate(batch_tokens, logits_rows);
  if (failed_) return error_;
  for (const FileTensor& tensor : file_.tensors()) {
    std::uint64_t weights = 1;
    for (const std::uint64_t dimension : tensor.dimensions) weights *= dimension;
    model_->weight_count_ += weights;
  }
  return std::move(model_);
}

void ModelLoader::fail(Error error) {
  if (!failed_) error_ = std::move(error);
  failed_ = true;
}

const FileTensor* ModelLoader::find(const std::string& name, const TensorShape& shape) {
  used_.insert(name);
  const auto tensor = find_tensor(file_, name, shape);
  if (tensor) return *tensor;
  fail(tensor.error());
  return nullptr;
}

kernels::Weights ModelLoader::weights(const std::string& name, std::size_t columns,
                                      std::size_t rows) {
  return weights_of_rows(name, columns, rows, 0, rows);
}

kernels::Weights ModelLoader::weights_of_rows(const std::string& name, std::size_t columns,
                                              std::size_t rows, std::size_t first,
                                              std::size_t count) {
  const FileTensor* tensor = find(name, {columns, rows});
  if (tensor == nullptr) return {};
  const auto type = type_of(file_, *tensor);
  if (!type) {
    fail(type.error());
    return {};
  }
  const std::size_t stride = kernels::row_bytes(*type, columns);
  const kernels::Weights placed{
      device_.place_weights(tensor->data.subspan(first * stride, count * stride)), *type, count,
      columns};
  model_->parts_[name].push_back({placed, first});
  return placed;
}

const float* ModelLoader::vector(const std::string& name, std::size_t size) {
  used_.insert(name);
  const auto values = read_vector(file_, name, size);
  if (!values) {
    fail(values.error());
    return nullptr;
  }
  DeviceMemory memory(device_, 1, size);
  if (!memory) {
    fail(file_.wrong("tensor " + name, "not enough memory"));
    return nullptr;
  }
  device_.upload(memory.floats(), std::as_bytes(std::span<const float>(*values)));
  return model_->vectors_.emplace_back(std::move(memory)).floats();
}

const float* ModelLoader::optional_vector(const std::string& name, std::size_t size) {
  return file_.tensor(name) == nullptr ? nullptr : vector(name, size);
}

Model::Projection ModelLoader::projection(const std::string& name, std::size_t columns,
                                          std::size_t rows) {
  return {weights(name + ".weight", columns, rows), optional_vector(name + ".bias", rows)};
}

void ModelLoader::fused(const std::string& name, std::size_t columns,
                        std::initializer_list<std::pair<Projection*, std::size_t>> parts) {
  const std::size_t rows =
      std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                      [](std::size_t sum, const auto& part) { return sum + part.second; });
  const float* bias = optional_vector(name + ".bias", rows);
  std::size_t first = 0;
  for (const auto& [part, count] : parts) {
    part->weights = weights_of_rows(name + ".weight", columns, rows, first, count);
    part->bias = bias == nullptr ? nullptr : bias + first;
    first += count;
  }
}

void ModelLoader::load_embeddings() {
  const FileTensor* table = file_.tensor("token_embd.weight");
  const bool matrix = table != nullptr && table->dimensions.size() == 2;
  const std::uint64_t rows = matrix ? table->dimensions[1] : 0;
  if (rows > kVocabularyMax) {
    return fail(file_.wrong("tensor token_embd.weight", "has more rows than any vocabulary"));
  }
  const auto vocabulary = static_cast<std::size_t>(rows);
  model_->embeddings_ = weights("token_embd.weight", sizes_.embedding, vocabulary);
  const bool tied = file_.tensor("output.weight") == nullptr;
  model_->output_.weights =
      tied ? model_->embeddings_ : weights("output.weight", sizes_.embedding, vocabulary);
  if (tied) model_->parts_["output.weight"] = {{model_->embeddings_, 0}};
  model_->output_.bias = optional_vector("output.bias", vocabulary);
  model_->final_norm_ = vector("output_norm.weight", sizes_.embedding);
}

void ModelLoader::load_layer(std::size_t index) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  Model::Layer layer;
  layer.has_window = sizes_.has_window[index];
  load_attention(prefix, layer);
  load_feed_forward(prefix, layer);
  model_->layers_.push_back(layer);
}

void ModelLoader::load_attention(const std::string& prefix, Model::Layer& layer) {
  const HyperParameters& s = sizes_;
  layer.attention_norm = vector(prefix + "attn_norm.weight", s.embedding);
  if (file_.tensor(prefix + "attn_qkv.weight") != nullptr) {
    fused(prefix + "attn_qkv", s.embedding,
          {{&layer.query, s.query_size()}, {&layer.key, s.kv_size()}, {&layer.value, s.kv_size()}});
  } else {
    layer.query = projection(prefix + "attn_q", s.embedding, s.query_size());
    layer.key = projection(prefix + "attn_k", s.embedding, s.kv_size());
    layer.value = projection(prefix + "attn_v", s.embedding, s.kv_size());
  }
  layer.output = projection(prefix + "attn_output", s.query_size(), s.embedding);
  if (s.architecture->norms_heads) {
    layer.query_norm = vector(prefix + "attn_q_norm.weight", s.head_size);
    layer.key_norm = vector(prefix + "attn_k_norm.weight", s.head_size);
  }
  if (s.architecture->norms_outputs) {
    layer.attention_output_norm = vector(prefix + "post_attention_norm.weight", s.embedding);
  }
}

void ModelLoader::load_feed_forward(const std::string& prefix, Model::Layer& layer) {
  const HyperParameters& s = sizes_;
  layer.feed_forward_norm = vector(prefix + "ffn_norm.weight", s.embedding);
  if (file_.tensor(prefix + "ffn_gate.weight") == nullptr) {
    fused(prefix + "ffn_up", s.embedding,
          {{&layer.gate, s.feed_forward}, {&layer.up, s.feed_forward}});
  } else {
    layer.gate = projection(prefix + "ffn_gate", s.embedding, s.feed_forward);
    layer.up = projection(prefix + "ffn_up", s.embedding, s.feed_forward);
  }
  layer.down = projection(prefix + "ffn_down", s.feed_forward, s.embedding);
  if (s.architecture->norms_outputs) {
    layer.feed_forward_output_norm = vector(prefix + "post_ffw_norm.weight", s.embedding);
  }
}

void ModelLoader::load_rope(std::size_t context_tokens) {
  const std::size_t context = context_tokens == 0 ? sizes_.context_length : context_tokens;
  for (const bool of_window : {false, true}) {
    auto table = RopeTable::load(file_, sizes_, of_window, context);
    if (!table) return fail(table.error());
    (of_window ? model_->window_rope_ : model_->rope_) = std::move(*table);
  }
}

// What a layer has and nobody asked for would be left out of every answer.
void ModelLoader::check_all_used() {
  for (const FileTensor& tensor : file_.tensors()) {
    const std::string name(tensor.name);
    if (!name.starts_with("blk.") || used_.contains(name)) continue;
    return fail(file_.wrong(
        "tensor " + printable(name),
        "is not known of a model of the architecture " + std::string(sizes_.architecture->name)));
  }
}

void ModelLoader::allocate(std::size_t batch_tokens, std::size_t logits_rows) {
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
  if (sizes_.window > 0 && m.window_rope_ != m.rope_) {
    make(m.window_turns_, batch_tokens, sizes_.rotary_size);
  }
  make(m.logits_, logits_rows, m.vocabulary());
}

}  // namespace backplane::local
