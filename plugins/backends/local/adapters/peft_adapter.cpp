// SPDX-License-Identifier: Apache-2.0
// A folder of the peft library: adapter_config.json says how the matrices of
// adapter_model.safetensors are scaled; their names are those of Hugging Face's modules.
#include <array>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>
#include <optional>

#include "plugins/backends/local/adapters/lora_builder.hpp"
#include "plugins/backends/local/files/json_file.hpp"
#include "plugins/backends/local/files/mapped_file.hpp"
#include "plugins/backends/local/files/safetensors_reader.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Half = LoraBuilder::Half;
using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array<Names, 9> kLayerNames = {{
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.gate_up_proj", "ffn_up"},
}};

struct Ending {
  std::string_view text;
  Half half;
};
constexpr std::array<Ending, 6> kEndings = {{
    {".lora_A.weight", Half::kDown},
    {".lora_B.weight", Half::kUp},
    {".lora_A.default.weight", Half::kDown},
    {".lora_B.default.weight", Half::kUp},
    {".lora_embedding_A", Half::kDown},
    {".lora_embedding_B", Half::kUp},
}};

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The model's tensor that a module's weight is, or "".
std::string tensor_name(std::string_view module) {
  drop_prefix(module, "base_model.model.");
  drop_prefix(module, "language_model.");
  drop_prefix(module, "model.");
  drop_prefix(module, "language_model.");
  if (module == "lm_head") return "output.weight";
  if (module == "embed_tokens") return std::string(kEmbeddingsName);
  if (!drop_prefix(module, "layers.")) return {};
  const std::size_t dot = module.find('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view part = module.substr(dot + 1);
  for (const auto& [hf_name, name] : kLayerNames) {
    if (part != hf_name) continue;
    return "blk." + std::string(module.substr(0, dot)) + "." + std::string(name) + ".weight";
  }
  return {};
}

class PeftFolder {
 public:
  PeftFolder(const std::string& path, const ModelFile& base)
      : config_path_(path + "/adapter_config.json"),
        weights_path_(path + "/adapter_model.safetensors"),
        base_(base),
        builder_(path, base),
        keeper_(path) {}

  Result<std::shared_ptr<const LoraAdapter>> load() {
    if (auto status = read_config(); !status) return status.error();
    if (auto status = read_base(); !status) return status.error();
    auto file = MappedFile::open(weights_path_);
    if (!file) return file.error();
    auto tensors = read_safetensors(weights_path_, file->bytes(), keeper_);
    if (!tensors) return tensors.error();
    for (const FileTensor& tensor : *tensors) {
      if (auto status = add(tensor); !status) return status.error();
    }
    return builder_.finish([this](std::size_t rank) {
      const auto value = static_cast<double>(rank);
      return static_cast<float>(alpha_ / (is_rank_stable_ ? std::sqrt(value) : value));
    });
  }

 private:
  Error wrong(const std::string& field, const std::string& what) const {
    return invalid_argument(config_path_ + ": " + field + ": " + what);
  }

  // What would have to be computed in another way is refused.
  Status read_config() {
    const auto config = read_json_file(config_path_);
    if (!config) return config.error();
    const json::value* type = find_field(*config, "peft_type");
    if (type == nullptr || !type->is_string() || type->as_string() != "LORA") {
      return wrong("peft_type", "expected \"LORA\"; other adapters are not supported");
    }
    for (const char* field : {"use_dora", "fan_in_fan_out", "alpha_pattern", "modules_to_save",
                              "layer_replication", "megatron_config", "use_qalora"}) {
      if (is_set(find_field(*config, field))) return wrong(field, "is not supported");
    }
    const json::value* alpha = find_field(*config, "lora_alpha");
    if (alpha == nullptr || !alpha->is_number()) return wrong("lora_alpha", "expected a number");
    alpha_ = alpha->to_number<double>();
    if (!std::isfinite(alpha_)) return wrong("lora_alpha", "expected a number");
    const json::value* stable = find_field(*config, "use_rslora");
    is_rank_stable_ = stable != nullptr && stable->is_bool() && stable->as_bool();
    return ok();
  }
  static bool is_set(const json::value* value) {
    if (value == nullptr) return false;
    if (value->is_bool()) return value->as_bool();
    if (value->is_object()) return !value->as_object().empty();
    if (value->is_array()) return !value->as_array().empty();
    return true;
  }

  Status read_base() {
    const auto architecture = base_.text("general.architecture");
    if (!architecture) return architecture.error();
    const std::string name(architecture->value_or(""));
    turns_pairs_ = name == "llama";
    if (!turns_pairs_) return ok();
    const auto heads = base_.unsigned_number(name + ".attention.head_count");
    if (!heads) return heads.error();
    const auto kv_heads = base_.unsigned_number(name + ".attention.head_count_kv");
    if (!kv_heads) return kv_heads.error();
    heads_ = heads->value_or(0);
    kv_heads_ = kv_heads->value_or(heads_);
    return ok();
  }

  Status add(const FileTensor& tensor) {
    const std::string place = "tensor " + printable(tensor.name);
    for (const auto& [ending, half] : kEndings) {
      if (!tensor.name.ends_with(ending)) continue;
      const std::string_view module = tensor.name.substr(0, tensor.name.size() - ending.size());
      const std::string name = tensor_name(module);
      if (name.empty()) return builder_.error(place, "changes a module that is not known here");
      return add(name, half, tensor);
    }
    return builder_.error(place, "is no half of a low-rank pair; export the adapter without it");
  }

  Status add(const std::string& name, Half half, const FileTensor& tensor) {
    if (tensor.dimensions.size() == 2 && tensor.type != kNoGgmlType && half == Half::kUp) {
      if (name.ends_with(".attn_q.weight")) return add_pairs(name, heads_, tensor);
      if (name.ends_with(".attn_k.weight")) return add_pairs(name, kv_heads_, tensor);
    }
    if (name == kEmbeddingsName && half == Half::kDown && tensor.dimensions.size() == 2 &&
        tensor.type != kNoGgmlType) {
      return add_transposed(name, tensor);
    }
    return builder_.add(name, half, tensor);
  }

  // Llama's base has the two rows of each of RoPE's pairs together, this file the halves of a head.
  Status add_pairs(const std::string& name, std::uint64_t heads, const FileTensor& tensor) {
    if (!turns_pairs_) return builder_.add(name, Half::kUp, tensor);
    const std::uint64_t rows = tensor.dimensions[1];
    if (heads == 0 || rows % (2 * heads) != 0) {
      return builder_.error("tensor " + printable(tensor.name),
                            "has " + std::to_string(rows) + " rows, which are no " +
                                std::to_string(heads) + " heads");
    }
    const auto row_bytes = static_cast<std::size_t>(tensor.data.size() / rows);
    const auto half = static_cast<std::size_t>(rows / heads / 2);
    std::vector<std::byte> ordered(tensor.data.size());
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t head = row / (2 * half), within = row % (2 * half);
      const std::size_t from = head * 2 * half + within / 2 + (within % 2) * half;
      std::memcpy(&ordered[row * row_bytes], &tensor.data[from * row_bytes], row_bytes);
    }
    return add_copy(name, Half::kUp, tensor, tensor.dimensions, ordered);
  }

  Status add_transposed(const std::string& name, const FileTensor& tensor) {
    const auto columns = static_cast<std::size_t>(tensor.dimensions[0]);
    const auto rows = static_cast<std::size_t>(tensor.dimensions[1]);
    if (columns == 0 || rows == 0) return builder_.add(name, Half::kDown, tensor);
    const std::size_t size = tensor.data.size() / columns / rows;
    std::vector<std::byte> turned(tensor.data.size());
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        std::memcpy(&turned[(column * rows + row) * size],
                    &tensor.data[(row * columns + column) * size], size);
      }
    }
    return add_copy(name, Half::kDown, tensor, {rows, columns}, turned);
  }

  Status add_copy(const std::string& name, Half half, FileTensor tensor,
                  std::vector<std::uint64_t> dimensions, const std::vector<std::byte>& bytes) {
    tensor.dimensions = std::move(dimensions);
    tensor.data = bytes;
    return builder_.add(name, half, tensor);
  }

  const std::string config_path_, weights_path_;
  const ModelFile& base_;
  LoraBuilder builder_;
  ModelFile keeper_;  // of the tensors' names
  double alpha_ = 0;
  bool is_rank_stable_ = false;
  bool turns_pairs_ = false;
  std::uint64_t heads_ = 0, kv_heads_ = 0;
};

}  // namespace

Result<std::shared_ptr<const LoraAdapter>> load_peft_adapter(const std::string& path,
                                                             const ModelFile& base) {
  return PeftFolder(path, base).load();
}

}  // namespace backplane::local
