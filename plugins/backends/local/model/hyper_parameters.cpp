// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/hyper_parameters.hpp"

#include <cmath>
#include <string>

namespace backplane::local {
namespace {

constexpr std::uint64_t kLayersMax = 1024;
constexpr std::uint64_t kSizeMax = 1u << 20;  // embedding, feed-forward
constexpr std::uint64_t kHeadsMax = 4096;
constexpr std::uint64_t kContextMax = 1u << 24;  // tokens
constexpr double kRealMax = 1e30;                // fits a float

class Reader {
 public:
  explicit Reader(const ModelFile& file) : file_(file) {}

  Result<HyperParameters> read() {
    if (auto status = read_architecture(); !status) return status.error();
    if (auto status = read_sizes(); !status) return status.error();
    if (auto status = check_sizes(); !status) return status.error();
    if (auto status = read_window(); !status) return status.error();
    if (auto status = read_pattern(); !status) return status.error();
    if (auto status = read_scales(); !status) return status.error();
    return std::move(out_);
  }

 private:
  std::string key(std::string_view name) const {
    return std::string(out_.architecture->name) + "." + std::string(name);
  }

  Status read_architecture() {
    const auto name = file_.text("general.architecture");
    if (!name) return name.error();
    if (!name->has_value()) return file_.missing("general.architecture");
    out_.architecture = find_architecture(**name);
    if (out_.architecture == nullptr) {
      return file_.wrong("general.architecture", "\"" + printable(**name) +
                                                     "\" is not supported; use a model of one of " +
                                                     architecture_names());
    }
    const auto experts = file_.unsigned_number(key("expert_count"));
    if (!experts) return experts.error();
    if (experts->value_or(0) == 0) return ok();
    return file_.wrong(key("expert_count"),
                       "mixtures of experts are not supported; use a dense model");
  }

  // A size that must be there when `fallback` is 0.
  Status read_size(std::string_view name, std::uint64_t most, std::size_t fallback,
                   std::size_t& out) const {
    const auto found = file_.unsigned_number(key(name));
    if (!found) return found.error();
    if (!found->has_value() && fallback == 0) return file_.missing(key(name));
    const std::uint64_t value = found->value_or(fallback);
    if (value == 0 || value > most) {
      return file_.wrong(key(name), "is " + std::to_string(value) + ", expected 1 to " +
                                        std::to_string(most) + "; the file is damaged");
    }
    out = static_cast<std::size_t>(value);
    return ok();
  }

  Status read_sizes() {
    struct Size {
      const char* name;
      std::uint64_t most;
      std::size_t& out;
    };
    const Size sizes[] = {{"block_count", kLayersMax, out_.layers},
                          {"embedding_length", kSizeMax, out_.embedding},
                          {"feed_forward_length", kSizeMax, out_.feed_forward},
                          {"context_length", kContextMax, out_.context_length},
                          {"attention.head_count", kHeadsMax, out_.heads}};
    for (const Size& size : sizes) {
      if (auto s = read_size(size.name, size.most, 0, size.out); !s) return s;
    }
    if (auto s = read_size("attention.head_count_kv", kHeadsMax, out_.heads, out_.kv_heads); !s) {
      return s;
    }
    const std::size_t even_share = out_.embedding / out_.heads;
    if (auto s = read_size("attention.key_length", kSizeMax, even_share, out_.head_size); !s) {
      return s;
    }
    return read_size("rope.dimension_count", kSizeMax, out_.head_size, out_.rotary_size);
  }

  Status check_sizes() const {
    if (out_.heads % out_.kv_heads != 0) {
      return file_.wrong(key("attention.head_count_kv"), "does not divide the number of heads");
    }
    if (out_.rotary_size % 2 != 0 || out_.rotary_size > out_.head_size) {
      return file_.wrong(key("rope.dimension_count"),
                         "does not fit a head of " + std::to_string(out_.head_size));
    }
    const auto value_size = file_.unsigned_number(key("attention.value_length"));
    if (!value_size) return value_size.error();
    if (value_size->value_or(out_.head_size) != out_.head_size) {
      return file_.wrong(key("attention.value_length"), "must equal the key length");
    }
    return ok();
  }

  Status read_window() {
    out_.has_window.assign(out_.layers, false);
    const auto window = file_.unsigned_number(key("attention.sliding_window"));
    if (!window) return window.error();
    out_.window = static_cast<std::size_t>(
        std::min<std::uint64_t>(window->value_or(out_.architecture->window), kContextMax));
    return ok();
  }

  // The file says after how many layers one sees everything, or of each layer whether it does not.
  Status read_pattern() {
    const std::size_t usual = out_.architecture->window_period;
    if (out_.window == 0 || usual == 1) {
      out_.window = 0;
      return ok();
    }
    const std::string name = key("attention.sliding_window_pattern");
    const auto* value = file_.find(name);
    const auto* flags = value == nullptr ? nullptr : std::get_if<MetadataArray>(value);
    if (flags != nullptr) {
      if (flags->type == MetadataType::kString || flags->size() != out_.layers) {
        return file_.wrong(name, "expected a truth value for each layer");
      }
      for (std::size_t i = 0; i < out_.layers; ++i) out_.has_window[i] = flags->number(i) != 0;
      return ok();
    }
    const auto period = file_.unsigned_number(name);
    if (!period) return period.error();
    const std::uint64_t every = period->value_or(usual);
    for (std::size_t i = 0; i < out_.layers; ++i) {
      out_.has_window[i] = every == 0 || i % every < every - 1;
    }
    return ok();
  }

  Status read_scales() {
    if (file_.find(key("attention.layer_norm_rms_epsilon")) == nullptr) {
      return file_.missing(key("attention.layer_norm_rms_epsilon"));
    }
    double epsilon = 0;
    if (auto s = read_positive(file_, key("attention.layer_norm_rms_epsilon"), 0, epsilon); !s) {
      return s;
    }
    out_.norm_epsilon = static_cast<float>(epsilon);
    struct Real {
      const char* name;
      float& out;
    };
    const Real reals[] = {{"attention.scale", out_.score_scale},
                          {"attn_logit_softcapping", out_.score_cap},
                          {"final_logit_softcapping", out_.logits_cap}};
    for (const Real& real : reals) {
      const auto value = file_.real_number(key(real.name));
      if (!value) return value.error();
      if (value->value_or(0) == 0) continue;  // converters write 0 for none
      double number = 0;
      if (auto s = read_positive(file_, key(real.name), 0, number); !s) return s;
      real.out = static_cast<float>(number);
    }
    if (out_.score_scale == 0 && out_.layers == out_.architecture->share_scaled_layers) {
      out_.score_scale = 1.0f / std::sqrt(static_cast<float>(out_.embedding / out_.heads));
    }
    return ok();
  }

  const ModelFile& file_;
  HyperParameters out_;
};

}  // namespace

Status read_positive(const ModelFile& file, const std::string& key, double fallback, double& out) {
  const auto found = file.real_number(key);
  if (!found) return found.error();
  out = found->value_or(fallback);
  if (out > 0 && out < kRealMax) return ok();
  return file.wrong(key, "expected a positive number; the file is damaged");
}

Result<HyperParameters> read_hyper_parameters(const ModelFile& file) {
  return Reader(file).read();
}

}  // namespace backplane::local
