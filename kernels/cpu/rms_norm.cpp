// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/simd.hpp"
// Highway includes this file once more for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rms_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void rms_norm_row(const float* x, const float* scale, float epsilon, std::size_t size, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto squares = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    squares = hn::MulAdd(v, v, squares);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, squares));
  for (; i < size; ++i) sum += x[i] * x[i];
  const float factor = 1.0f / std::sqrt(sum / static_cast<float>(size) + epsilon);
  for (i = 0; i + lanes <= size; i += lanes) {
    const auto v = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor));
    hn::StoreU(hn::Mul(v, hn::LoadU(d, scale + i)), d, out + i);
  }
  for (; i < size; ++i) out[i] = x[i] * factor * scale[i];
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(rms_norm_row);

void rms_norm(ConstMatrix x, const float* scale, float epsilon, Matrix out) {
  assert(out.rows == x.rows && out.columns == x.columns);
  for (std::size_t t = 0; t < x.rows; ++t) {
    HWY_DYNAMIC_DISPATCH(rms_norm_row)(x.row(t), scale, epsilon, x.columns, out.row(t));
  }
}

}  // namespace backplane::kernels::cpu
#endif
