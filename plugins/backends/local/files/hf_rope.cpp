// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/hf_rope.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "plugins/backends/local/files/json_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::size_t kHeadSizeMax = 1u << 16;

class RopeReader {
 public:
  RopeReader(const std::string& path, const json::object& text, std::string_view architecture,
             ModelFile& out)
      : path_(path), text_(text), prefix_(std::string(architecture) + "."), out_(out) {}

  Status read() {
    find_settings();
    if (const auto base = number("rope_theta")) {
      set("rope.freq_base", *base);
    } else if (prefix_ == "gemma3.") {
      set("rope.freq_base", 1e6);
    }
    if (const auto share = number("partial_rotary_factor"); share && *share > 0 && *share < 1) {
      const auto turning = static_cast<std::uint64_t>(*share * static_cast<double>(head_size()));
      set("rope.dimension_count", turning);
    }
    const std::string_view kind = find_kind();
    if (kind == "default") return ok();
    if (kind == "linear") return read_linear();
    if (kind == "llama3") return read_llama3();
    if (kind == "yarn") return read_yarn();
    if (kind == "longrope" || kind == "su") return read_longrope();
    return wrong("rope_type", "\"" + printable(kind) +
                                  "\" is not supported; linear, llama3, yarn and longrope are");
  }

 private:
  Error wrong(std::string_view field, const std::string& what) const {
    return invalid_argument(path_ + ": rope_scaling." + std::string(field) + ": " + what);
  }
  void set(std::string_view name, MetadataValue value) {
    // GGUF has floats here, and a model is to stay the same when it is converted.
    if (auto* real = std::get_if<double>(&value)) *real = static_cast<float>(*real);
    out_.set(out_.keep(prefix_ + std::string(name)), std::move(value));
  }

  static const json::object* find_object(const json::object& object, std::string_view name) {
    const json::value* found = find_field(object, name);
    return found == nullptr ? nullptr : found->if_object();
  }

  void find_settings() {
    settings_ = find_object(text_, "rope_parameters");
    if (settings_ == nullptr) settings_ = find_object(text_, "rope_scaling");
    if (settings_ == nullptr) return;
    if (const json::object* local = find_object(*settings_, "sliding_attention")) {
      const json::value* base = find_field(*local, "rope_theta");
      if (base != nullptr && base->is_number()) {
        set("rope.freq_base_swa", base->to_number<double>());
      }
    }
    if (const json::object* global = find_object(*settings_, "full_attention")) settings_ = global;
  }

  const json::value* find(std::string_view name) const {
    const json::value* found = settings_ == nullptr ? nullptr : find_field(*settings_, name);
    return found == nullptr ? find_field(text_, name) : found;
  }

  // Of the settings, or else of the model.
  std::optional<double> number(std::string_view name) const {
    const json::value* found = find(name);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    return found->to_number<double>();
  }

  std::string_view find_kind() const {
    if (settings_ == nullptr) return "default";
    const json::value* kind = find_field(*settings_, "rope_type");
    if (kind == nullptr) kind = find_field(*settings_, "type");
    return kind != nullptr && kind->is_string() ? std::string_view(kind->get_string()) : "default";
  }

  std::uint64_t size(std::string_view name) const {
    const auto found = out_.unsigned_number(prefix_ + std::string(name));
    return found ? found->value_or(0) : 0;
  }
  std::size_t head_size() const {
    if (const std::uint64_t given = size("attention.key_length"); given > 0) return given;
    const std::uint64_t heads = size("attention.head_count");
    return heads == 0 ? 0 : size("embedding_length") / heads;
  }
  std::size_t rotary_size() const {
    const std::uint64_t given = size("rope.dimension_count");
    return given > 0 ? given : head_size();
  }
  std::uint64_t original_context() const {
    const json::value* given = find("original_max_position_embeddings");
    return given == nullptr ? size("context_length") : whole_number(*given).value_or(0);
  }

  Result<double> factor() const {
    const auto given = number("factor");
    if (given && *given > 0 && std::isfinite(*given)) return *given;
    return wrong("factor", "expected a positive number");
  }

  Status read_linear() {
    const auto divisor = factor();
    if (!divisor) return divisor.error();
    set("rope.scaling.type", std::string_view("linear"));
    set("rope.scaling.factor", *divisor);
    return ok();
  }

  Status read_yarn() {
    const auto divisor = factor();
    if (!divisor) return divisor.error();
    set("rope.scaling.type", std::string_view("yarn"));
    set("rope.scaling.factor", *divisor);
    set("rope.scaling.original_context_length", original_context());
    constexpr std::pair<const char*, const char*> kOptional[] = {
        {"attention_factor", "rope.scaling.yarn_attn_factor"},
        {"beta_fast", "rope.scaling.yarn_beta_fast"},
        {"beta_slow", "rope.scaling.yarn_beta_slow"}};
    for (const auto& [field, key] : kOptional) {
      if (const auto given = number(field)) set(key, *given);
    }
    const auto scale = number("mscale");
    const auto scale_all = number("mscale_all_dim");
    if (scale && scale_all) {
      const double grown = std::max(0.0, 0.1 * std::log(*divisor));
      set("rope.scaling.yarn_attn_factor", (*scale * grown + 1) / (*scale_all * grown + 1));
    }
    return ok();
  }

  // Long waves are stretched, short ones are not, and those between a little.
  Status read_llama3() {
    const auto divisor = factor();
    if (!divisor) return divisor.error();
    const double low = number("low_freq_factor").value_or(1);
    const double high = number("high_freq_factor").value_or(4);
    const double base = number("rope_theta").value_or(10000);
    const std::size_t size = rotary_size();
    if (size < 2 || size > kHeadSizeMax || high == low || base <= 0) {
      return wrong("low_freq_factor", "makes no sense with the other numbers");
    }
    std::vector<float> divisors;
    for (std::size_t i = 0; i < size; i += 2) {
      const double turn = std::pow(base, -static_cast<double>(i) / static_cast<double>(size));
      const double waves = static_cast<double>(original_context()) * turn / (2 * std::numbers::pi);
      const double share = std::clamp((waves - low) / (high - low), 0.0, 1.0);
      divisors.push_back(static_cast<float>(1 / ((1 - share) / *divisor + share)));
    }
    return add("rope_freqs.weight", divisors);
  }

  Status read_longrope() {
    const std::size_t pairs = rotary_size() / 2;
    if (pairs == 0) return wrong("type", "longrope needs heads of two numbers or more");
    for (const char* length : {"long", "short"}) {
      const json::value* list = find(std::string(length) + "_factor");
      if (list == nullptr || !list->is_array() || list->get_array().size() != pairs) {
        return wrong(std::string(length) + "_factor",
                     "expected " + std::to_string(pairs) + " numbers");
      }
      std::vector<float> divisors;
      for (const json::value& value : list->get_array()) {
        const double divisor = value.is_number() ? value.to_number<double>() : 0;
        if (!(divisor > 0)) {
          return wrong(std::string(length) + "_factor", "expected positive numbers");
        }
        divisors.push_back(static_cast<float>(divisor));
      }
      const std::string name = "rope_factors_" + std::string(length) + ".weight";
      if (auto status = add(name, divisors); !status) return status;
    }
    const auto original = static_cast<double>(original_context());
    const double scale = static_cast<double>(size("context_length")) / original;
    const double attention =
        number("attention_factor")
            .value_or(scale > 1 ? std::sqrt(1 + std::log(scale) / std::log(original)) : 1.0);
    set("rope.scaling.type", std::string_view("longrope"));
    set("rope.scaling.attn_factor", attention);
    set("rope.scaling.original_context_length", original_context());
    return ok();
  }

  Status add(const std::string& name, const std::vector<float>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    FileTensor tensor;
    tensor.name = out_.keep(name);
    tensor.dimensions = {values.size()};
    tensor.data = out_.keep(std::move(bytes));
    out_.add(std::move(tensor));
    return ok();
  }

  const std::string& path_;
  const json::object& text_;
  const std::string prefix_;
  const json::object* settings_ = nullptr;
  ModelFile& out_;
};

}  // namespace

Status read_hf_rope(const std::string& path, const json::object& text,
                    std::string_view architecture, ModelFile& out) {
  return RopeReader(path, text, architecture, out).read();
}

}  // namespace backplane::local
