// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/tiny_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "tests/kernels/random_tensors.hpp"

namespace backplane::local {
namespace {

struct Tokens {
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  std::vector<float> scores = {0, 0, 0};
  std::vector<std::int32_t> types = {2, 3, 3};
  void add(const std::string& text, float score, std::int32_t type) {
    texts.push_back(text);
    scores.push_back(score);
    types.push_back(type);
  }
};

Tokens tiny_tokens() {
  Tokens tokens;
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "<0x%02X>", byte);
    tokens.add(text.data(), 0, 6);
  }
  tokens.add("\xe2\x96\x81", -1, 1);
  for (char c = 'a'; c <= 'z'; ++c) tokens.add(std::string(1, c), -2, 1);
  tokens.add("th", -0.5f, 1);
  tokens.add("the", -0.25f, 1);
  tokens.add("<|end|>", 0, 3);
  return tokens;
}

// Multiples of 1/128 below 2: exactly themselves in F32, F16 and BF16.
std::string exact_weights(std::uint32_t type, std::uint64_t rows, std::uint64_t columns,
                          std::uint32_t seed) {
  std::string data;
  const float scale = 128 / std::sqrt(static_cast<float>(columns));
  for (const float random : kernels::random_floats(rows * columns, seed)) {
    const float value = std::clamp(std::round(random * scale), -255.0f, 255.0f) / 128;
    if (type == 0) {
      append_number(data, value);
    } else {
      append_number(
          data, type == 1 ? kernels::half_from_float(value) : kernels::bfloat_from_float(value));
    }
  }
  return data;
}

class TensorMaker {
 public:
  TensorMaker(GgufWriter& writer, const TinyArchitecture& shape, std::uint32_t type,
              std::uint32_t seed)
      : writer_(writer), shape_(shape), type_(type), matrix_seed_(seed), vector_seed_(seed + 500) {}

  void add_all(std::uint64_t vocabulary) {
    matrix("token_embd.weight", shape_.embedding, vocabulary);
    vector("output_norm.weight", shape_.embedding);
    if (shape_.has_output) matrix("output.weight", shape_.embedding, vocabulary);
    for (std::uint32_t i = 0; i < shape_.layers; ++i) {
      prefix_ = "blk." + std::to_string(i) + ".";
      add_attention();
      add_feed_forward();
    }
  }

 private:
  void add_attention() {
    const std::uint64_t size = shape_.embedding;
    const std::uint64_t query = std::uint64_t{shape_.heads} * shape_.head_size;
    const std::uint64_t key = std::uint64_t{shape_.kv_heads} * shape_.head_size;
    vector(prefix_ + "attn_norm.weight", size);
    if (shape_.is_fused) {
      matrix(prefix_ + "attn_qkv.weight", size, query + 2 * key);
    } else {
      matrix(prefix_ + "attn_q.weight", size, query);
      matrix(prefix_ + "attn_k.weight", size, key);
      matrix(prefix_ + "attn_v.weight", size, key);
    }
    matrix(prefix_ + "attn_output.weight", query, size);
    if (shape_.has_biases) {
      vector(prefix_ + "attn_q.bias", query);
      vector(prefix_ + "attn_k.bias", key);
      vector(prefix_ + "attn_v.bias", key);
    }
    if (shape_.norms_heads) {
      vector(prefix_ + "attn_q_norm.weight", shape_.head_size);
      vector(prefix_ + "attn_k_norm.weight", shape_.head_size);
    }
    if (shape_.norms_outputs) vector(prefix_ + "post_attention_norm.weight", size);
  }

  void add_feed_forward() {
    const std::uint64_t size = shape_.embedding;
    const std::uint64_t inner = shape_.feed_forward;
    vector(prefix_ + "ffn_norm.weight", size);
    if (shape_.is_fused) {
      matrix(prefix_ + "ffn_up.weight", size, 2 * inner);
    } else {
      matrix(prefix_ + "ffn_gate.weight", size, inner);
      matrix(prefix_ + "ffn_up.weight", size, inner);
    }
    matrix(prefix_ + "ffn_down.weight", inner, size);
    if (shape_.norms_outputs) vector(prefix_ + "post_ffw_norm.weight", size);
  }

  void matrix(const std::string& name, std::uint64_t columns, std::uint64_t rows) {
    ++matrix_seed_;
    if (!shape_.is_plain) {
      writer_.add_tensor(name, type_, {columns, rows},
                         exact_weights(type_, rows, columns, matrix_seed_));
      return;
    }
    const auto type = type_ == 0   ? kernels::Type::kF32
                      : type_ == 1 ? kernels::Type::kF16
                                   : kernels::Type::kQ8_0;
    const auto weights = kernels::random_weights(type, rows, columns, matrix_seed_);
    writer_.add_tensor(name, type_, {columns, rows},
                       {reinterpret_cast<const char*>(weights.bytes.data()), weights.bytes.size()});
  }
  // Multiples of 1/64 around 1, around 0 for biases.
  void vector(const std::string& name, std::uint64_t size) {
    const float middle = name.ends_with(".bias") ? 0.0f : 1.0f;
    std::string data;
    for (const float random : kernels::random_floats(size, ++vector_seed_)) {
      const float step = std::round(std::clamp(random, -2.0f, 2.0f) * 16) / 64;
      append_number(data, shape_.is_plain ? 0.5f : middle + step);
    }
    writer_.add_tensor(name, 0, {size}, data);
  }

  GgufWriter& writer_;
  const TinyArchitecture& shape_;
  std::uint32_t type_;
  std::uint32_t matrix_seed_;
  std::uint32_t vector_seed_;
  std::string prefix_;
};

}  // namespace

GgufWriter tiny_model(const TinyArchitecture& shape, std::uint32_t type, std::uint32_t seed) {
  GgufWriter writer;
  const std::string prefix = std::string(shape.name) + ".";
  writer.add_text("general.architecture", shape.name);
  writer.add_text("general.name", "tiny");
  writer.add_unsigned(prefix + "block_count", shape.layers);
  writer.add_unsigned(prefix + "context_length", kTinyContext);
  writer.add_unsigned(prefix + "embedding_length", shape.embedding);
  writer.add_unsigned(prefix + "feed_forward_length", shape.feed_forward);
  writer.add_unsigned(prefix + "attention.head_count", shape.heads);
  writer.add_unsigned(prefix + "attention.head_count_kv", shape.kv_heads);
  if (shape.heads * shape.head_size != shape.embedding) {
    writer.add_unsigned(prefix + "attention.key_length", shape.head_size);
    writer.add_unsigned(prefix + "attention.value_length", shape.head_size);
  }
  writer.add_real(prefix + "attention.layer_norm_rms_epsilon", 1e-5f);
  const Tokens tokens = tiny_tokens();
  writer.add_text("tokenizer.ggml.model", "llama");
  writer.add_texts("tokenizer.ggml.tokens", tokens.texts);
  writer.add_reals("tokenizer.ggml.scores", tokens.scores);
  writer.add_integers("tokenizer.ggml.token_type", tokens.types);
  writer.add_unsigned("tokenizer.ggml.bos_token_id", kTinyBos);
  writer.add_unsigned("tokenizer.ggml.eos_token_id", kTinyEos);
  writer.add_unsigned("tokenizer.ggml.unknown_token_id", 0);
  writer.add_text("tokenizer.chat_template",
                  "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>"
                  "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}");
  if (shape.extra) shape.extra(writer);
  TensorMaker(writer, shape, type, seed * 1000).add_all(tokens.texts.size());
  return writer;
}

GgufWriter tiny_model(std::uint32_t type, std::uint32_t seed) {
  TinyArchitecture plain;
  plain.is_plain = true;
  return tiny_model(plain, type, seed);
}

}  // namespace backplane::local
