// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/silu_mul.cpp"
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

void silu_mul_range(float* gate, const float* up, std::size_t size) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, 1.0f);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, gate + i);
    const auto silu = hn::Div(v, hn::Add(one, hn::Exp(d, hn::Neg(v))));
    hn::StoreU(hn::Mul(silu, hn::LoadU(d, up + i)), d, gate + i);
  }
  for (; i < size; ++i) gate[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(silu_mul_range);

void silu_mul(ThreadPool& pool, Matrix gate, ConstMatrix up) {
  assert(gate.rows == up.rows && gate.columns == up.columns);
  for_each_row(pool, gate.rows, gate.columns, [&](std::size_t t) {
    HWY_DYNAMIC_DISPATCH(silu_mul_range)(gate.row(t), up.row(t), gate.columns);
  });
}

}  // namespace backplane::kernels::cpu
#endif
