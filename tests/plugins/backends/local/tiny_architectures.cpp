// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/tiny_architectures.hpp"

#include <cassert>
#include <cmath>

namespace backplane::local {
namespace {

constexpr std::uint32_t kWindow = 24;

void add_divisors(GgufWriter& writer, const std::string& name, std::uint32_t pairs, float step) {
  std::string data;
  for (std::uint32_t i = 0; i < pairs; ++i) append_number(data, 1 + step * static_cast<float>(i));
  writer.add_tensor(name, 0, {pairs}, data);
}

TinyArchitecture gemma(const char* name, std::uint32_t layers) {
  TinyArchitecture shape{.name = name, .layers = layers, .head_size = 16, .norms_outputs = true};
  shape.norms_heads = shape.name == std::string("gemma3");
  return shape;
}

std::vector<NamedArchitecture> make() {
  std::vector<NamedArchitecture> all;
  const auto add = [&](const char* name, TinyArchitecture shape,
                       std::function<void(GgufWriter&)> extra = {}) {
    shape.extra = std::move(extra);
    all.push_back({name, std::move(shape)});
  };
  add("llama", {.has_output = true});
  add("llama with divisors", {},
      [](GgufWriter& w) { add_divisors(w, "rope_freqs.weight", 4, 1.5f); });
  add("llama linear", {.has_biases = true}, [](GgufWriter& w) {
    w.add_text("llama.rope.scaling.type", "linear");
    w.add_real("llama.rope.scaling.factor", 4);
    w.add_real("llama.rope.freq_base", 500);
  });
  add("llama yarn", {.embedding = 64, .head_size = 16}, [](GgufWriter& w) {
    w.add_text("llama.rope.scaling.type", "yarn");
    w.add_real("llama.rope.scaling.factor", 4);
    w.add_unsigned("llama.rope.scaling.original_context_length", 64);
  });
  add("qwen2", {.name = "qwen2", .has_output = true, .has_biases = true},
      [](GgufWriter& w) { w.add_real("qwen2.rope.freq_base", 1e6f); });
  add("qwen3", {.name = "qwen3", .head_size = 16, .norms_heads = true},
      [](GgufWriter& w) { w.add_real("qwen3.rope.freq_base", 1e6f); });
  add("gemma2", gemma("gemma2", 4), [](GgufWriter& w) {
    w.add_unsigned("gemma2.attention.sliding_window", kWindow);
    w.add_real("gemma2.attn_logit_softcapping", 2);
    w.add_real("gemma2.final_logit_softcapping", 3);
  });
  add("gemma3", gemma("gemma3", 7), [](GgufWriter& w) {
    w.add_unsigned("gemma3.attention.sliding_window", kWindow);
    w.add_real("gemma3.rope.freq_base", 1e6f);
    w.add_text("gemma3.rope.scaling.type", "linear");
    w.add_real("gemma3.rope.scaling.factor", 8);
  });
  TinyArchitecture phi3{.name = "phi3", .has_output = true, .is_fused = true};
  add("phi3", phi3);
  const auto longrope = [](std::uint32_t context) {
    return [context](GgufWriter& w) {
      w.add_text("phi3.rope.scaling.type", "longrope");
      const double longer = static_cast<double>(kTinyContext) / context;
      const double factor = std::sqrt(1 + std::log(longer) / std::log(context));
      w.add_real("phi3.rope.scaling.attn_factor", longer > 1 ? static_cast<float>(factor) : 1.0f);
      w.add_unsigned("phi3.rope.scaling.original_context_length", context);
      w.add_unsigned("phi3.rope.dimension_count", 6);
      add_divisors(w, "rope_factors_long.weight", 3, 2.5f);
      add_divisors(w, "rope_factors_short.weight", 3, 0.25f);
    };
  };
  add("phi3 longrope", phi3, longrope(64));
  add("phi3 shortrope", phi3, longrope(kTinyContext + 1));
  return all;
}

}  // namespace

const std::vector<NamedArchitecture>& tiny_architectures() {
  static const std::vector<NamedArchitecture> all = make();
  return all;
}

const TinyArchitecture& tiny_architecture(const std::string& name) {
  for (const NamedArchitecture& each : tiny_architectures()) {
    if (each.name == name) return each.shape;
  }
  std::abort();
}

}  // namespace backplane::local
