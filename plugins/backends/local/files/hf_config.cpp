// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/hf_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/backends/local/files/hf_rope.hpp"
#include "plugins/backends/local/files/json_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::array<HfFamily, 8> kFamilies = {{
    {"llama", "llama", true, false},
    {"mistral", "llama", true, false},
    {"qwen2", "qwen2", false, false},
    {"qwen3", "qwen3", false, false},
    {"gemma2", "gemma2", false, true},
    {"gemma3", "gemma3", false, true},
    {"gemma3_text", "gemma3", false, true},
    {"phi3", "phi3", false, false},
}};

struct Size {
  std::string_view field;
  std::string_view key;
  std::uint64_t gemma3;  // where the file says nothing, as its library has it; 0: no such value
};

constexpr std::array<Size, 11> kSizes = {{
    {"num_hidden_layers", "block_count", 26},
    {"hidden_size", "embedding_length", 2304},
    {"intermediate_size", "feed_forward_length", 9216},
    {"max_position_embeddings", "context_length", 131072},
    {"num_attention_heads", "attention.head_count", 8},
    {"num_key_value_heads", "attention.head_count_kv", 4},
    {"head_dim", "attention.key_length", 256},
    {"head_dim", "attention.value_length", 256},
    {"vocab_size", "vocab_size", 0},
    {"sliding_window", "attention.sliding_window", 4096},
    {"sliding_window_pattern", "attention.sliding_window_pattern", 0},
}};

struct Real {
  std::string_view field;
  std::string_view key;
  double gemma3;
};

constexpr std::array<Real, 4> kReals = {{
    {"rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6},
    {"attn_logit_softcapping", "attn_logit_softcapping", 0},
    {"final_logit_softcapping", "final_logit_softcapping", 0},
    {"rope_local_base_freq", "rope.freq_base_swa", 0},
}};

class ConfigReader {
 public:
  ConfigReader(const std::string& path, const json::object& document, ModelFile& out)
      : path_(path), document_(document), out_(out) {}

  Result<HfConfig> read() {
    if (auto status = find_family(); !status) return status.error();
    set("general.architecture", config_.family->architecture);
    set("general.type", std::string_view("model"));
    for (const Size& size : kSizes) {
      if (auto status = read_size(size); !status) return status.error();
    }
    for (const Real& real : kReals) {
      if (auto status = read_real(real); !status) return status.error();
    }
    read_layer_types();
    if (auto status = read_query_scale(); !status) return status.error();
    if (auto status = read_window_use(); !status) return status.error();
    if (auto status = check_activation(); !status) return status.error();
    read_rest();
    if (auto status = read_hf_rope(path_, *text_, config_.family->architecture, out_); !status) {
      return status.error();
    }
    return config_;
  }

 private:
  Error wrong(std::string_view field, const std::string& what) const {
    return invalid_argument(path_ + ": " + std::string(field) + ": " + what);
  }
  bool is_gemma3() const { return config_.family->architecture == "gemma3"; }
  std::string_view key(std::string_view name) {
    return out_.keep(std::string(config_.family->architecture) + "." + std::string(name));
  }
  void set(std::string_view name, MetadataValue value) {
    // GGUF has floats here, and a model is to stay the same when it is converted.
    if (auto* real = std::get_if<double>(&value)) *real = static_cast<float>(*real);
    out_.set(name, std::move(value));
  }

  Status find_family() {
    if (document_.contains("quantization_config")) {
      return wrong("quantization_config",
                   "weights quantised in this way are not supported; use the model in BF16 or F16, "
                   "or a GGUF file");
    }
    const json::value* type = find_field(document_, "model_type");
    const std::string_view name =
        type != nullptr && type->is_string() ? std::string_view(type->get_string()) : "";
    const auto* const found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                           [&](const HfFamily& f) { return f.model_type == name; });
    if (found == kFamilies.end()) {
      return wrong("model_type",
                   "\"" + printable(name) +
                       "\" is not supported; use a model of the Llama, Mistral, Qwen2, "
                       "Qwen3, Gemma 2, Gemma 3 or Phi-3 family");
    }
    config_.family = found;
    const json::value* text = find_field(document_, "text_config");
    text_ = text != nullptr && text->is_object() ? &text->get_object() : &document_;
    return ok();
  }

  Status read_size(const Size& size) {
    const json::value* field = find_field(*text_, size.field);
    if (field == nullptr) {
      if (is_gemma3() && size.gemma3 != 0) set(key(size.key), size.gemma3);
      return ok();
    }
    const auto number = whole_number(*field);
    if (!number) return wrong(size.field, "expected a whole number");
    set(key(size.key), *number);
    return ok();
  }

  Status read_real(const Real& real) {
    const json::value* field = find_field(*text_, real.field);
    if (field == nullptr) {
      if (is_gemma3() && real.gemma3 != 0) set(key(real.key), real.gemma3);
      return ok();
    }
    if (!field->is_number()) return wrong(real.field, "expected a number");
    set(key(real.key), field->to_number<double>());
    return ok();
  }

  // Which layers look through the window: one truth value each.
  void read_layer_types() {
    const json::value* types = find_field(*text_, "layer_types");
    if (!config_.family->is_gemma || types == nullptr || !types->is_array()) return;
    std::string flags;
    for (const json::value& type : types->get_array()) {
      flags += type == json::value("sliding_attention") ? '\1' : '\0';
    }
    const std::string_view kept = out_.keep(std::move(flags));
    MetadataArray array;
    array.type = MetadataType::kBool;
    array.raw = std::as_bytes(std::span(kept));
    set(key("attention.sliding_window_pattern"), std::move(array));
  }

  Status read_query_scale() {
    const json::value* field = find_field(*text_, "query_pre_attn_scalar");
    if (!config_.family->is_gemma || field == nullptr) return ok();
    const double scalar = field->is_number() ? field->to_number<double>() : 0;
    if (!(scalar > 0)) return wrong("query_pre_attn_scalar", "expected a positive number");
    set(key("attention.scale"), 1 / std::sqrt(scalar));
    return ok();
  }

  // Qwen's files name a window that they do not use.
  Status read_window_use() {
    const json::value* used = find_field(*text_, "use_sliding_window");
    const bool unused = used != nullptr && used->is_bool() && !used->get_bool();
    if (unused) out_.erase(std::string(config_.family->architecture) + ".attention.sliding_window");
    const json::value* pattern = find_field(*text_, "sliding_window_pattern");
    if (pattern != nullptr && whole_number(*pattern) == 1u) {
      out_.erase(std::string(config_.family->architecture) + ".attention.sliding_window");
    }
    return ok();
  }

  Status check_activation() const {
    const json::value* field = find_field(*text_, "hidden_act");
    if (config_.family->is_gemma || field == nullptr || *field == "silu") return ok();
    return wrong("hidden_act", "is not \"silu\", and no other is supported for this model");
  }

  void read_rest() {
    const auto number = [&](std::string_view name) {
      const auto found = out_.unsigned_number(name);
      return found ? found->value_or(0) : 0;
    };
    config_.heads = number(key("attention.head_count"));
    config_.kv_heads = number(key("attention.head_count_kv"));
    if (config_.kv_heads == 0) config_.kv_heads = config_.heads;
    const json::value* tied = find_field(*text_, "tie_word_embeddings");
    if (tied == nullptr) tied = find_field(document_, "tie_word_embeddings");
    // Gemma's library ties them where nothing is said.
    config_.ties_output =
        tied != nullptr && tied->is_bool() ? tied->get_bool() : config_.family->is_gemma;
  }

  const std::string& path_;
  const json::object& document_;
  const json::object* text_ = nullptr;  // what is said of the language model
  ModelFile& out_;
  HfConfig config_;
};

}  // namespace

Result<HfConfig> read_hf_config(const std::string& path, ModelFile& out) {
  const auto document = read_json_file(path);
  if (!document) return document.error();
  return ConfigReader(path, *document, out).read();
}

}  // namespace backplane::local
