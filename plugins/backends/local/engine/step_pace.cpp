// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/step_pace.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

constexpr double kKept = 0.95;  // of an older step's weight, at each new one
constexpr std::size_t kTokensUnknown = 32;
constexpr std::size_t kTokensMax = std::size_t{1} << 20;

}  // namespace

void StepPace::note(std::size_t tokens, double milliseconds) {
  const auto count = static_cast<double>(tokens);
  for (double* sum : {&steps_, &tokens_, &squares_, &times_, &products_}) *sum *= kKept;
  steps_ += 1;
  tokens_ += count;
  squares_ += count * count;
  times_ += milliseconds;
  products_ += milliseconds * count;
}

// A line through the steps, by least squares.
StepPace::Line StepPace::fit() const {
  const double spread = steps_ * squares_ - tokens_ * tokens_;
  const double each = spread > tokens_ ? (steps_ * products_ - tokens_ * times_) / spread : 0;
  const double fixed = (times_ - each * tokens_) / steps_;
  if (each <= 0 || fixed < 0) return {0, times_ / tokens_};
  return {fixed, each};
}

std::size_t StepPace::tokens_within(double milliseconds) const {
  if (steps_ == 0) return kTokensUnknown;
  const Line line = fit();
  const double fitting =
      line.each > 0 ? (milliseconds - line.fixed) / line.each : static_cast<double>(kTokensMax);
  return static_cast<std::size_t>(std::clamp(fitting, 1.0, static_cast<double>(kTokensMax)));
}

double StepPace::milliseconds_for(std::size_t tokens) const {
  if (steps_ == 0) return 0;
  const Line line = fit();
  return line.fixed + line.each * static_cast<double>(tokens);
}

}  // namespace backplane::local
