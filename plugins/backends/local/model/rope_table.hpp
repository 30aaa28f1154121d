// SPDX-License-Identifier: Apache-2.0
// By how much queries and keys turn for each position: RoPE (https://arxiv.org/abs/2104.09864)
// with the ways in use to reach longer contexts: linear, YaRN (https://arxiv.org/abs/2309.00071),
// longrope (https://arxiv.org/abs/2402.13753), and the divisors of Llama 3. Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <span>
#include <vector>

#include "plugins/backends/local/model/hyper_parameters.hpp"

namespace backplane::local {

class RopeTable {
 public:
  // For layers with a window or for the others. `context_tokens`: how long sequences may become,
  // on which longrope depends.
  static Result<RopeTable> load(const ModelFile& file, const HyperParameters& parameters,
                                bool of_window, std::size_t context_tokens);

  // Fills `out` with a pair (cos, sin) for each frequency; in double, for positions are large.
  void turns(std::size_t position, std::span<float> out) const;
  bool operator==(const RopeTable&) const = default;

 private:
  std::vector<double> frequencies_;  // radians a position
  double magnitude_ = 1;
};

}  // namespace backplane::local
