// SPDX-License-Identifier: Apache-2.0
// What the instruction sets of this processor must agree on, bit by bit.
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include "kernels/device.hpp"
#include "tests/kernels/random_tensors.hpp"

namespace backplane::kernels {
namespace {

constexpr std::uint32_t kSeed = 20260116;

// Runs the rest of the test on one target of Highway's.
class OnTarget {
 public:
  explicit OnTarget(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~OnTarget() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

std::vector<std::int64_t> targets() {
  std::vector<std::int64_t> targets;
  const std::int64_t compiled = HWY_AVX3 | HWY_AVX2 | HWY_SSE4 | HWY_NEON | HWY_STATIC_TARGET;
  for (std::int64_t left = hwy::SupportedTargets() & compiled; left != 0; left &= left - 1) {
    targets.push_back(left & -left);
  }
  return targets;
}

TEST(InstructionSets, GiveTheSameProductsOfQuantizedTypes) {
  constexpr std::size_t kRows = 45, kColumns = 768, kTokens = 13;
  ASSERT_FALSE(targets().empty());
  for (const Type type : kTypes) {
    if (layout_of(type).block_weights == 1) continue;
    const auto weights = random_weights(type, kRows, kColumns, kSeed);
    auto x = random_floats(kTokens * kColumns, kSeed + 1);
    std::vector<float> first;
    for (const std::int64_t target : targets()) {
      const OnTarget on(target);
      const auto device = make_cpu_device(2);
      std::vector<float> out(kTokens * kRows);
      device->matmul(weights.view, {x.data(), kTokens, kColumns}, {out.data(), kTokens, kRows});
      if (first.empty()) first = out;
      EXPECT_EQ(out, first) << layout_of(type).name << " on " << hwy::TargetName(target) << " seed "
                            << kSeed;
    }
  }
}

}  // namespace
}  // namespace backplane::kernels
