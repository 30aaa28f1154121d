// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/rope_table.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "plugins/backends/local/model/file_tensors.hpp"

namespace backplane::local {
namespace {

// What YaRN does between the frequencies that it leaves alone and those that it divides.
struct Yarn {
  double begin = 0;  // of the pairs, by their numbers
  double end = 0;
  double kept(std::size_t pair) const {
    const double place = (static_cast<double>(pair) - begin) / std::max(0.001, end - begin);
    return 1 - std::clamp(place, 0.0, 1.0);
  }
};

class Reader {
 public:
  Reader(const ModelFile& file, const HyperParameters& parameters, std::size_t context_tokens)
      : file_(file), sizes_(parameters), context_tokens_(context_tokens) {}

  Status read(bool of_window, std::vector<double>& frequencies, double& magnitude) {
    if (auto status = read_base(of_window); !status) return status;
    if (!of_window || sizes_.architecture->scales_window_rope) {
      if (auto status = read_scaling(); !status) return status;
    }
    if (auto status = read_divisors(); !status) return status;
    const std::size_t pairs = sizes_.rotary_size / 2;
    for (std::size_t i = 0; i < pairs; ++i) {
      const double exponent = -static_cast<double>(i) / static_cast<double>(pairs);
      const double frequency =
          std::pow(base_, exponent) / (divisors_.empty() ? 1.0 : static_cast<double>(divisors_[i]));
      const double kept = is_yarn_ ? yarn_.kept(i) : 0;
      frequencies.push_back(frequency * ((1 - kept) / factor_ + kept));
    }
    magnitude = magnitude_;
    return ok();
  }

 private:
  std::string key(std::string_view name) const {
    return std::string(sizes_.architecture->name) + ".rope." + std::string(name);
  }
  Status number(std::string_view name, double fallback, double& out) const {
    return read_positive(file_, key(name), fallback, out);
  }

  Status read_base(bool of_window) {
    if (auto status = number("freq_base", 10000, base_); !status) return status;
    if (!of_window) return ok();
    const double usual = sizes_.architecture->window_rope_base;
    return number("freq_base_swa", usual != 0 ? usual : base_, base_);
  }

  Status read_scaling() {
    const auto type = file_.text(key("scaling.type"));
    if (!type) return type.error();
    const std::string_view kind = type->value_or("linear");
    if (kind == "none") return ok();
    if (kind == "longrope") return read_longrope();
    if (kind != "linear" && kind != "yarn") {
      return file_.wrong(
          key("scaling.type"),
          "\"" + printable(kind) + "\" is not supported; none, linear, yarn and longrope are");
    }
    const auto factor = file_.real_number(key("scaling.factor"));
    if (!factor) return factor.error();
    // Converters write 0 for none.
    if (factor->value_or(0) != 0) {
      if (auto status = number("scaling.factor", 1, factor_); !status) return status;
    }
    return kind == "yarn" ? read_yarn() : number("scaling.attn_factor", 1, magnitude_);
  }

  Status read_original_context(double& out) const {
    return number("scaling.original_context_length", static_cast<double>(sizes_.context_length),
                  out);
  }

  Status read_yarn() {
    is_yarn_ = true;
    double context = 0;
    double fast = 0;
    double slow = 0;
    if (auto status = read_original_context(context); !status) return status;
    if (auto status = number("scaling.yarn_beta_fast", 32, fast); !status) return status;
    if (auto status = number("scaling.yarn_beta_slow", 1, slow); !status) return status;
    // The pair that turns so often within the context that the model was first made for.
    const auto pair_of = [&](double times) {
      return static_cast<double>(sizes_.rotary_size) *
             std::log(context / (times * 2 * std::numbers::pi)) / (2 * std::log(base_));
    };
    yarn_.begin = std::max(0.0, std::floor(pair_of(fast)));
    yarn_.end = std::min(static_cast<double>(sizes_.rotary_size) - 1, std::ceil(pair_of(slow)));
    double attention = 1;
    const double grown = factor_ > 1 ? 0.1 * std::log(factor_) : 0;
    if (auto s = number("scaling.yarn_attn_factor", grown + 1, magnitude_); !s) return s;
    if (auto s = number("scaling.attn_factor", 1, attention); !s) return s;
    magnitude_ *= attention;
    return ok();
  }

  Status read_longrope() {
    double context = 0;
    if (auto status = read_original_context(context); !status) return status;
    divisors_name_ = static_cast<double>(context_tokens_) > context ? "rope_factors_long.weight"
                                                                    : "rope_factors_short.weight";
    return number("scaling.attn_factor", 1, magnitude_);
  }

  Status read_divisors() {
    if (file_.tensor(divisors_name_) == nullptr) return ok();
    auto divisors = read_vector(file_, divisors_name_, sizes_.rotary_size / 2);
    if (!divisors) return divisors.error();
    divisors_ = std::move(*divisors);
    const bool possible =
        std::all_of(divisors_.begin(), divisors_.end(), [](float d) { return d > 0; });
    if (possible) return ok();
    return file_.wrong("tensor " + divisors_name_, "expected positive numbers");
  }

  const ModelFile& file_;
  const HyperParameters& sizes_;
  const std::size_t context_tokens_;
  double base_ = 0;
  double factor_ = 1;
  double magnitude_ = 1;
  bool is_yarn_ = false;
  Yarn yarn_;
  std::string divisors_name_ = "rope_freqs.weight";
  std::vector<float> divisors_;
};

}  // namespace

Result<RopeTable> RopeTable::load(const ModelFile& file, const HyperParameters& parameters,
                                  bool of_window, std::size_t context_tokens) {
  RopeTable table;
  Reader reader(file, parameters, context_tokens);
  if (auto s = reader.read(of_window, table.frequencies_, table.magnitude_); !s) return s.error();
  return table;
}

void RopeTable::turns(std::size_t position, std::span<float> out) const {
  assert(out.size() == 2 * frequencies_.size());
  for (std::size_t i = 0; i < frequencies_.size(); ++i) {
    const double angle = static_cast<double>(position) * frequencies_[i];
    out[2 * i] = static_cast<float>(std::cos(angle) * magnitude_);
    out[2 * i + 1] = static_cast<float>(std::sin(angle) * magnitude_);
  }
}

}  // namespace backplane::local
