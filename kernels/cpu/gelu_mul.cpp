// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gelu_mul.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h: its functions are per target.
#include <hwy/contrib/math/math-inl.h>

#include <cmath>

#include "kernels/cpu/for_each_row.hpp"
#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + kCubic * x^3))), and (1 + tanh(u)) / 2 is a logistic curve.
inline constexpr float kCubic = 0.044715f;
inline constexpr float kSlope = -1.5957691216057308f;  // -2 * sqrt(2 / pi)

void gelu_mul_range(float* gate, const float* up, std::size_t size) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, 1.0f);
  const auto cubic = hn::Set(d, kCubic);
  const auto slope = hn::Set(d, kSlope);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, gate + i);
    const auto bent = hn::Mul(v, hn::MulAdd(cubic, hn::Mul(v, v), one));
    const auto gelu = hn::Div(v, hn::Add(one, hn::Exp(d, hn::Mul(slope, bent))));
    hn::StoreU(hn::Mul(gelu, hn::LoadU(d, up + i)), d, gate + i);
  }
  for (; i < size; ++i) {
    const float bent = gate[i] * (kCubic * gate[i] * gate[i] + 1.0f);
    gate[i] = gate[i] / (1.0f + std::exp(kSlope * bent)) * up[i];
  }
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(gelu_mul_range);

void gelu_mul(ThreadPool& pool, Matrix gate, ConstMatrix up) {
  assert(gate.rows == up.rows && gate.columns == up.columns);
  for_each_row(pool, gate.rows, gate.columns, [&](std::size_t t) {
    HWY_DYNAMIC_DISPATCH(gelu_mul_range)(gate.row(t), up.row(t), gate.columns);
  });
}

}  // namespace backplane::kernels::cpu
#endif
