// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/hf_tensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "kernels/float16.hpp"

namespace backplane::local {
namespace {

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kBf16 = 30;

using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array<Names, 3> kModelNames = {{
    {"embed_tokens.weight", "token_embd.weight"},
    {"norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
}};

constexpr std::array<Names, 12> kLayerNames = {{
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.gate_up_proj", "ffn_up"},
}};

constexpr std::array<Names, 1> kNorms = {{{"post_attention_layernorm", "ffn_norm"}}};
constexpr std::array<Names, 3> kGemmaNorms = {{
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
}};

std::string_view find(std::span<const Names> names, std::string_view wanted) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const Names& n) { return n.first == wanted; });
  return found == names.end() ? std::string_view() : found->second;
}

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

float number_at(const FileTensor& tensor, std::size_t index) {
  if (tensor.type == kF32) {
    float value = 0;
    std::memcpy(&value, tensor.data.data() + index * sizeof(value), sizeof(value));
    return value;
  }
  std::uint16_t half = 0;
  std::memcpy(&half, tensor.data.data() + index * sizeof(half), sizeof(half));
  if (tensor.type == kF16) return kernels::float_from_half(half);
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

}  // namespace

// Models of text lie within models of text and images under one more name.
std::optional<std::string> HfTensors::name(std::string_view hf_name) const {
  for (const char* part : {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                           "model.multi_modal_projector."}) {
    if (hf_name.starts_with(part)) return "";
  }
  drop_prefix(hf_name, "language_model.");
  drop_prefix(hf_name, "model.");
  drop_prefix(hf_name, "language_model.");
  if (hf_name == "lm_head.weight" && config_.ties_output) return "";
  if (const auto known = find(kModelNames, hf_name); !known.empty()) return std::string(known);
  if (!drop_prefix(hf_name, "layers.")) return std::nullopt;
  const std::size_t dot = hf_name.find('.');
  const std::size_t last_dot = hf_name.rfind('.');
  if (dot == std::string_view::npos || dot == last_dot || dot == 0) return std::nullopt;
  const std::string_view layer = hf_name.substr(0, dot);
  const std::string_view part = hf_name.substr(dot + 1, last_dot - dot - 1);
  const std::string_view kind = hf_name.substr(last_dot + 1);
  if (part == "self_attn.rotary_emb") return "";
  std::string_view known = find(kLayerNames, part);
  if (known.empty()) {
    known = config_.family->is_gemma ? find(kGemmaNorms, part) : find(kNorms, part);
  }
  if (known.empty() || (kind != "weight" && kind != "bias")) return std::nullopt;
  return "blk." + std::string(layer) + "." + std::string(known) + "." + std::string(kind);
}

Status HfTensors::check(const std::string& path, const FileTensor& tensor) const {
  const std::string place = path + ": tensor " + printable(tensor.name) + ": ";
  if (tensor.type != kF32 && tensor.type != kF16 && tensor.type != kBf16) {
    return invalid_argument(place + "its dtype is not supported; use a model in BF16, F16 or F32");
  }
  if (tensor.dimensions.size() <= 2) return ok();
  return invalid_argument(place + "has " + std::to_string(tensor.dimensions.size()) +
                          " dimensions, expected 1 or 2");
}

Status HfTensors::add(const std::string& path, const FileTensor& tensor) {
  const auto gguf_name = name(tensor.name);
  if (!gguf_name) {
    return invalid_argument(path + ": tensor " + printable(tensor.name) +
                            ": is not known of a model of this type");
  }
  if (gguf_name->empty()) return ok();
  if (auto status = check(path, tensor); !status) return status;
  FileTensor out = tensor;
  out.name = out_.keep(*gguf_name);
  if (config_.family->turns_pairs) {
    const bool query = out.name.find(".attn_q.") != std::string_view::npos;
    const bool key = out.name.find(".attn_k.") != std::string_view::npos;
    if (query || key) {
      const std::uint64_t heads = query ? config_.heads : config_.kv_heads;
      if (auto status = order_pairs(path, heads, out); !status) return status;
    }
  }
  if (out.dimensions.size() == 1) widen(out.name.ends_with("norm.weight"), out);
  if (out_.add(std::move(out))) return ok();
  return invalid_argument(path + ": tensor " + printable(tensor.name) + ": occurs twice");
}

// Of every head the first half of the rows and the second: row i of the one and row i of the other
// make a pair, and GGUF has them one after the other.
Status HfTensors::order_pairs(const std::string& path, std::uint64_t heads, FileTensor& tensor) {
  const std::uint64_t rows = tensor.dimensions.back();
  if (heads == 0 || rows % heads != 0 || rows / heads % 2 != 0) {
    return invalid_argument(path + ": tensor " + printable(tensor.name) + ": has " +
                            std::to_string(rows) + " rows, which are no " + std::to_string(heads) +
                            " heads of pairs");
  }
  if (data_ == TensorData::kLeave) {
    tensor.data = {};
    return ok();
  }
  const auto row_bytes = static_cast<std::size_t>(tensor.data.size() / rows);
  const auto half = static_cast<std::size_t>(rows / heads / 2);
  std::vector<std::byte> ordered(tensor.data.size());
  std::byte* to = ordered.data();
  for (std::size_t head = 0; head < heads; ++head) {
    const std::byte* first = tensor.data.data() + head * 2 * half * row_bytes;
    const std::byte* second = first + half * row_bytes;
    for (std::size_t i = 0; i < half; ++i) {
      std::memcpy(to, first + i * row_bytes, row_bytes);
      std::memcpy(to + row_bytes, second + i * row_bytes, row_bytes);
      to += 2 * row_bytes;
    }
  }
  tensor.data = out_.keep(std::move(ordered));
  return ok();
}

void HfTensors::widen(bool is_norm, FileTensor& tensor) {
  const float offset = is_norm && config_.family->is_gemma ? 1.0f : 0.0f;
  const auto count = static_cast<std::size_t>(tensor.dimensions[0]);
  std::vector<std::byte> wide(count * sizeof(float));
  for (std::size_t i = 0; i < count; ++i) {
    const float value = number_at(tensor, i) + offset;
    std::memcpy(wide.data() + i * sizeof(float), &value, sizeof(float));
  }
  tensor.type = kF32;
  tensor.data = out_.keep(std::move(wide));
}

}  // namespace backplane::local
