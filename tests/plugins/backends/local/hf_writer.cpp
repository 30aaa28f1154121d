// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/hf_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernels/float16.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::pair<const char*, const char*> kNames[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"post_attention_norm", "post_attention_layernorm"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_down", "mlp.down_proj"},
};

std::string hf_name(const TinyArchitecture& shape, const std::string& name) {
  if (name == "token_embd.weight") return "model.embed_tokens.weight";
  if (name == "output_norm.weight") return "model.norm.weight";
  if (name == "output.weight") return "lm_head.weight";
  const std::size_t dot = name.find('.', 4);
  const std::size_t last = name.rfind('.');
  const std::string part = name.substr(dot + 1, last - dot - 1);
  std::string hf;
  for (const auto& [own, other] : kNames) {
    if (part == own) hf = other;
  }
  if (part == "ffn_up") hf = shape.is_fused ? "mlp.gate_up_proj" : "mlp.up_proj";
  if (part == "ffn_norm") {
    hf = shape.norms_outputs ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  }
  return "model.layers." + name.substr(4, dot - 4) + "." + hf + name.substr(last);
}

// Rows 2i and 2i + 1 of a head back to where they were: i and half + i.
std::string halves(const std::string& rows, std::size_t heads, std::size_t head_size) {
  const std::size_t bytes = rows.size() / (heads * head_size);
  std::string out(rows.size(), '\0');
  for (std::size_t row = 0; row < heads * head_size; ++row) {
    const std::size_t i = row % head_size;
    const std::size_t to = row - i + i / 2 + (i % 2) * (head_size / 2);
    std::memcpy(out.data() + to * bytes, rows.data() + row * bytes, bytes);
  }
  return out;
}

std::string stored_vector(const std::string& floats, std::uint32_t type, float offset) {
  std::string out;
  for (std::size_t i = 0; i < floats.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, floats.data() + i, sizeof(value));
    value -= offset;
    if (type == 0) {
      append_number(out, value);
    } else {
      append_number(
          out, type == 1 ? kernels::half_from_float(value) : kernels::bfloat_from_float(value));
    }
  }
  return out;
}

void add_rope(const std::string& architecture, json::object& config) {
  if (architecture == "llama linear") {
    config["rope_theta"] = 500.0;
    config["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  }
  if (architecture == "llama yarn") {
    config["rope_parameters"] = {{"rope_type", "yarn"},
                                 {"rope_theta", 10000.0},
                                 {"factor", 4.0},
                                 {"original_max_position_embeddings", 64}};
  }
  if (architecture.starts_with("qwen")) config["rope_theta"] = 1e6;
  if (architecture == "gemma3") {
    config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 8}};
  }
  if (architecture.ends_with("longrope") || architecture.ends_with("shortrope")) {
    config["partial_rotary_factor"] = 0.75;
    config["original_max_position_embeddings"] =
        architecture.ends_with("longrope") ? 64 : kTinyContext + 1;
    config["rope_scaling"] = {
        {"type", "longrope"}, {"long_factor", {1.0, 3.5, 6.0}}, {"short_factor", {1.0, 1.25, 1.5}}};
  }
}

}  // namespace

std::string safetensors_bytes(const std::vector<StoredTensor>& tensors) {
  json::object header{{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const StoredTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", json::array(tensor.shape.begin(), tensor.shape.end())},
                           {"data_offsets", {data.size(), data.size() + tensor.data.size()}}};
    data += tensor.data;
  }
  const std::string text = json::serialize(header);
  std::string out;
  append_number(out, static_cast<std::uint64_t>(text.size()));
  return out + text + data;
}

HfFolder::HfFolder(const std::string& name)
    : path_(testing::TempDir() + "backplane_" + std::to_string(::getpid()) + "_" + name) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directory(path_);
}

std::string HfFolder::write(const std::string& file, const std::string& bytes) const {
  remove(file);
  std::ofstream(path_ + "/" + file, std::ios::binary) << bytes;
  return path_ + "/" + file;
}

void HfFolder::remove(const std::string& file) const {
  std::filesystem::remove(path_ + "/" + file);
}

json::object hf_config(const std::string& architecture) {
  const TinyArchitecture& shape = tiny_architecture(architecture);
  json::object config{{"model_type", shape.name},
                      {"num_hidden_layers", shape.layers},
                      {"hidden_size", shape.embedding},
                      {"intermediate_size", shape.feed_forward},
                      {"max_position_embeddings", kTinyContext},
                      {"num_attention_heads", shape.heads},
                      {"num_key_value_heads", shape.kv_heads},
                      {"head_dim", shape.head_size},
                      {"vocab_size", kTinyVocabulary},
                      {"rms_norm_eps", 1e-5},
                      {"hidden_act", "silu"},
                      {"tie_word_embeddings", !shape.has_output},
                      {"bos_token_id", kTinyBos},
                      {"eos_token_id", kTinyEos}};
  if (architecture.starts_with("qwen")) {
    config["sliding_window"] = 8;
    config["use_sliding_window"] = false;
  }
  if (architecture.starts_with("gemma")) {
    config["hidden_act"] = "gelu_pytorch_tanh";
    config["sliding_window"] = 24;
    config["query_pre_attn_scalar"] = shape.head_size;
    config.erase("tie_word_embeddings");
  }
  if (architecture == "gemma2") {
    config["attn_logit_softcapping"] = 2.0;
    config["final_logit_softcapping"] = 3.0;
  }
  if (architecture == "gemma3") config["model_type"] = "gemma3_text";
  add_rope(architecture, config);
  return config;
}

std::vector<StoredTensor> hf_tensors(const std::string& architecture, std::uint32_t type,
                                     const std::string& prefix) {
  const TinyArchitecture& shape = tiny_architecture(architecture);
  const bool is_llama = architecture.starts_with("llama");
  std::vector<StoredTensor> tensors;
  const GgufWriter model = tiny_model(shape, type);
  for (const GgufWriter::Tensor& tensor : model.tensors()) {
    if (tensor.name.starts_with("rope_")) continue;
    StoredTensor stored{prefix + hf_name(shape, tensor.name),
                        type == 0   ? "F32"
                        : type == 1 ? "F16"
                                    : "BF16",
                        {tensor.dimensions.rbegin(), tensor.dimensions.rend()},
                        tensor.data};
    if (tensor.dimensions.size() == 1) {
      const bool is_gemma_norm = shape.norms_outputs && tensor.name.ends_with("norm.weight");
      stored.data = stored_vector(tensor.data, type, is_gemma_norm ? 1.0f : 0.0f);
    }
    if (is_llama && tensor.name.find("attn_q.") != std::string::npos) {
      stored.data = halves(stored.data, shape.heads, shape.head_size);
    }
    if (is_llama && tensor.name.find("attn_k.") != std::string::npos) {
      stored.data = halves(stored.data, shape.kv_heads, shape.head_size);
    }
    tensors.push_back(std::move(stored));
  }
  return tensors;
}

HfFolder hf_model(const std::string& architecture, std::uint32_t type) {
  HfFolder folder("hf");
  folder.write("config.json", json::serialize(hf_config(architecture)));
  folder.write("model.safetensors", safetensors_bytes(hf_tensors(architecture, type)));
  return folder;
}

}  // namespace backplane::local
