// SPDX-License-Identifier: Apache-2.0
// Adapters for tiny_model(), as GGUF files, and what they would be as folders of the peft library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/kernels/random_tensors.hpp"
#include "tests/plugins/backends/local/gguf_writer.hpp"

namespace backplane::local {

inline constexpr std::uint64_t kTinyRank = 3;
inline constexpr float kTinyAlpha = 1.5f;

struct TinyTarget {
  const char* name;     // in GGUF
  const char* hf_name;  // of the module
  std::uint64_t inputs;
  std::uint64_t outputs;
};

inline const std::vector<TinyTarget>& tiny_targets() {
  static const std::vector<TinyTarget> targets = {
      {"blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj", 32, 32},
      {"blk.1.attn_k.weight", "model.layers.1.self_attn.k_proj", 32, 16},
      {"blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj", 32, 16},
      {"blk.1.attn_output.weight", "model.layers.1.self_attn.o_proj", 32, 32},
      {"blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj", 32, 64},
      {"blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj", 64, 32},
  };
  return targets;
}

inline std::string float_bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// Values that move a model's answers without drowning them.
inline std::vector<float> tiny_half(std::size_t count, std::uint32_t seed) {
  std::vector<float> values = kernels::random_floats(count, seed);
  for (float& value : values) value *= 0.7f;
  return values;
}

inline GgufWriter tiny_adapter(std::uint32_t seed = 1) {
  GgufWriter writer;
  writer.add_text("general.type", "adapter");
  writer.add_text("general.architecture", "llama");
  writer.add_text("adapter.type", "lora");
  writer.add_real("adapter.lora.alpha", kTinyAlpha);
  std::uint32_t part = seed * 100;
  for (const TinyTarget& target : tiny_targets()) {
    const std::string name = target.name;
    writer.add_tensor(name + ".lora_a", 0, {target.inputs, kTinyRank},
                      float_bytes(tiny_half(target.inputs * kTinyRank, ++part)));
    writer.add_tensor(name + ".lora_b", 0, {kTinyRank, target.outputs},
                      float_bytes(tiny_half(target.outputs * kTinyRank, ++part)));
  }
  return writer;
}

}  // namespace backplane::local
