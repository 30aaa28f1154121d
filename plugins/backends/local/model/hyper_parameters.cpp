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

// A size that must be there when `fallback` is 0.
Status read_size(const ModelFile& file, const std::string& key, std::uint64_t most,
                 std::size_t fallback, std::size_t& out) {
  const auto found = file.unsigned_number(key);
  if (!found) return found.error();
  if (!found->has_value() && fallback == 0) return file.missing(key);
  const std::uint64_t value = found->value_or(fallback);
  if (value == 0 || value > most) {
    return file.wrong(key, "is " + std::to_string(value) + ", expected 1 to " +
                               std::to_string(most) + "; the file is damaged");
  }
  out = static_cast<std::size_t>(value);
  return ok();
}

Status read_real(const ModelFile& file, const std::string& key, double fallback, double& out) {
  const auto found = file.real_number(key);
  if (!found) return found.error();
  out = found->value_or(fallback);
  if (!std::isfinite(out) || out <= 0) {
    return file.wrong(key, "expected a positive number; the file is damaged");
  }
  return ok();
}

Status check_architecture(const ModelFile& file) {
  const auto name = file.text("general.architecture");
  if (!name) return name.error();
  if (!name->has_value()) return file.missing("general.architecture");
  if (**name != "llama") {
    return file.wrong("general.architecture", "\"" + std::string(name->value().substr(0, 64)) +
                                                  "\" is not supported; use a llama model");
  }
  const auto experts = file.unsigned_number("llama.expert_count");
  if (!experts) return experts.error();
  if (experts->value_or(0) > 0) {
    return file.wrong("llama.expert_count",
                      "mixtures of experts are not supported; use a dense llama model");
  }
  return ok();
}

Status read_sizes(const ModelFile& file, HyperParameters& out) {
  const std::string prefix = "llama.";
  if (auto s = read_size(file, prefix + "block_count", kLayersMax, 0, out.layers); !s) return s;
  if (auto s = read_size(file, prefix + "embedding_length", kSizeMax, 0, out.embedding); !s) {
    return s;
  }
  if (auto s = read_size(file, prefix + "feed_forward_length", kSizeMax, 0, out.feed_forward); !s) {
    return s;
  }
  if (auto s = read_size(file, prefix + "context_length", kContextMax, 0, out.context_length); !s) {
    return s;
  }
  if (auto s = read_size(file, prefix + "attention.head_count", kHeadsMax, 0, out.heads); !s) {
    return s;
  }
  if (auto s =
          read_size(file, prefix + "attention.head_count_kv", kHeadsMax, out.heads, out.kv_heads);
      !s) {
    return s;
  }
  const std::size_t even_share = out.embedding / out.heads;
  if (auto s =
          read_size(file, prefix + "attention.key_length", kSizeMax, even_share, out.head_size);
      !s) {
    return s;
  }
  return read_size(file, prefix + "rope.dimension_count", kSizeMax, out.head_size, out.rotary_size);
}

Status check_sizes(const ModelFile& file, const HyperParameters& sizes) {
  if (sizes.heads % sizes.kv_heads != 0) {
    return file.wrong("llama.attention.head_count_kv", "does not divide the number of heads");
  }
  if (sizes.rotary_size % 2 != 0 || sizes.rotary_size > sizes.head_size) {
    return file.wrong("llama.rope.dimension_count",
                      "does not fit a head of " + std::to_string(sizes.head_size));
  }
  const auto value_size = file.unsigned_number("llama.attention.value_length");
  if (!value_size) return value_size.error();
  if (value_size->value_or(sizes.head_size) != sizes.head_size) {
    return file.wrong("llama.attention.value_length", "must equal the key length");
  }
  return ok();
}

Status read_rope_scaling(const ModelFile& file, HyperParameters& out) {
  const auto type = file.text("llama.rope.scaling.type");
  if (!type) return type.error();
  const std::string_view kind = type->value_or("none");
  if (kind == "none") return ok();
  if (kind == "linear") {
    return read_real(file, "llama.rope.scaling.factor", 1.0, out.rope_scale);
  }
  return file.wrong("llama.rope.scaling.type",
                    "\"" + std::string(kind.substr(0, 64)) + "\" is not supported; linear is");
}

}  // namespace

Result<HyperParameters> read_hyper_parameters(const ModelFile& file) {
  HyperParameters out;
  if (auto status = check_architecture(file); !status) return status.error();
  if (auto status = read_sizes(file, out); !status) return status.error();
  if (auto status = check_sizes(file, out); !status) return status.error();
  const std::string epsilon_key = "llama.attention.layer_norm_rms_epsilon";
  if (file.find(epsilon_key) == nullptr) return file.missing(epsilon_key);
  double epsilon = 0;
  if (auto s = read_real(file, epsilon_key, 0, epsilon); !s) return s.error();
  out.norm_epsilon = static_cast<float>(epsilon);
  if (auto s = read_real(file, "llama.rope.freq_base", 10000.0, out.rope_base); !s) {
    return s.error();
  }
  if (auto status = read_rope_scaling(file, out); !status) return status.error();
  return out;
}

}  // namespace backplane::local
