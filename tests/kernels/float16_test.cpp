// SPDX-License-Identifier: Apache-2.0
#include "kernels/float16.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace backplane::kernels {
namespace {

TEST(Float16, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const float value = float_from_half(static_cast<std::uint16_t>(half));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value)))) << half;
    } else {
      EXPECT_EQ(half_from_float(value), half);
    }
  }
}

struct Rounding {
  float value;
  float expected;
};

TEST(Float16, RoundsToTheNearestHalfAndTiesToEven) {
  const Rounding cases[] = {
      {1.0f, 1.0f},          {1.0f + 0x1p-11f, 1.0f}, {1.0f + 0x1.8p-10f, 1.0f + 0x1p-9f},
      {65504.0f, 65504.0f},  {65519.0f, 65504.0f},    {65520.0f, INFINITY},
      {-1e30f, -INFINITY},   {0x1p-24f, 0x1p-24f},    {0x1p-25f, 0.0f},
      {0x1.8p-25f, 0x1p-24f}};
  for (const Rounding& rounding : cases) {
    EXPECT_EQ(float_from_half(half_from_float(rounding.value)), rounding.expected)
        << rounding.value;
  }
}

}  // namespace
}  // namespace backplane::kernels
