// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/soft_cap.cpp"
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

void soft_cap_range(float* x, std::size_t size, float cap) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto high = hn::Set(d, cap);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(hn::Mul(high, hn::Tanh(d, hn::Div(hn::LoadU(d, x + i), high))), d, x + i);
  }
  for (; i < size; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(soft_cap_range);

void soft_cap(ThreadPool& pool, Matrix x, float cap) {
  for_each_row(pool, x.rows, x.columns, [&](std::size_t t) {
    HWY_DYNAMIC_DISPATCH(soft_cap_range)(x.row(t), x.columns, cap);
  });
}

}  // namespace backplane::kernels::cpu
#endif
