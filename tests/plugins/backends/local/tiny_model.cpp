// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/tiny_model.hpp"

#include <array>
#include <cstdio>

#include "tests/kernels/random_tensors.hpp"

namespace backplane::local {
namespace {

constexpr std::uint64_t kEmbedding = 32;
constexpr std::uint64_t kFeedForward = 64;
constexpr std::uint64_t kHeads = 4;
constexpr std::uint64_t kKvHeads = 2;
constexpr std::uint64_t kHeadSize = kEmbedding / kHeads;
constexpr std::uint32_t kLayers = 2;

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

class TensorMaker {
 public:
  TensorMaker(GgufWriter& writer, std::uint32_t type, std::uint32_t seed)
      : writer_(writer), type_(type), seed_(seed) {}

  void matrix(const std::string& name, std::uint64_t columns, std::uint64_t rows) {
    const auto type = type_ == 0   ? kernels::Type::kF32
                      : type_ == 1 ? kernels::Type::kF16
                                   : kernels::Type::kQ8_0;
    const auto weights = kernels::random_weights(type, rows, columns, ++seed_);
    writer_.add_tensor(name, type_, {columns, rows},
                       {reinterpret_cast<const char*>(weights.bytes.data()), weights.bytes.size()});
  }
  void norm(const std::string& name) {
    std::string data;
    for (std::uint64_t i = 0; i < kEmbedding; ++i) append_number(data, 0.5f);
    writer_.add_tensor(name, 0, {kEmbedding}, data);
  }

 private:
  GgufWriter& writer_;
  std::uint32_t type_;
  std::uint32_t seed_;
};

void add_tensors(GgufWriter& writer, std::uint32_t type, std::uint32_t seed,
                 std::uint64_t vocabulary) {
  TensorMaker make(writer, type, seed * 1000);
  make.matrix("token_embd.weight", kEmbedding, vocabulary);
  make.norm("output_norm.weight");
  for (std::uint32_t i = 0; i < kLayers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    make.norm(prefix + "attn_norm.weight");
    make.matrix(prefix + "attn_q.weight", kEmbedding, kEmbedding);
    make.matrix(prefix + "attn_k.weight", kEmbedding, kKvHeads * kHeadSize);
    make.matrix(prefix + "attn_v.weight", kEmbedding, kKvHeads * kHeadSize);
    make.matrix(prefix + "attn_output.weight", kEmbedding, kEmbedding);
    make.norm(prefix + "ffn_norm.weight");
    make.matrix(prefix + "ffn_gate.weight", kEmbedding, kFeedForward);
    make.matrix(prefix + "ffn_up.weight", kEmbedding, kFeedForward);
    make.matrix(prefix + "ffn_down.weight", kFeedForward, kEmbedding);
  }
}

}  // namespace

GgufWriter tiny_model(std::uint32_t type, std::uint32_t seed) {
  GgufWriter writer;
  writer.add_text("general.architecture", "llama");
  writer.add_text("general.name", "tiny");
  writer.add_unsigned("llama.block_count", kLayers);
  writer.add_unsigned("llama.context_length", kTinyContext);
  writer.add_unsigned("llama.embedding_length", kEmbedding);
  writer.add_unsigned("llama.feed_forward_length", kFeedForward);
  writer.add_unsigned("llama.attention.head_count", kHeads);
  writer.add_unsigned("llama.attention.head_count_kv", kKvHeads);
  writer.add_real("llama.attention.layer_norm_rms_epsilon", 1e-5f);
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
  add_tensors(writer, type, seed, tokens.texts.size());
  return writer;
}

}  // namespace backplane::local
