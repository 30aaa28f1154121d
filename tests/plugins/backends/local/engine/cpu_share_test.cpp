// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/cpu_share.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace backplane::local {
namespace {

TEST(CpuShare, NeverGivesMoreThanThereAreAndServesEverybody) {
  constexpr int kProcessors = 3;
  CpuShare share(kProcessors);
  std::atomic<int> taken{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int wanted = 1; wanted <= 5; ++wanted) {
    threads.emplace_back([&, wanted] {
      for (int i = 0; i < 500; ++i) {
        const CpuShare::Turn turn(share, static_cast<std::size_t>(wanted));
        const int own = std::min(wanted, kProcessors);
        if (taken.fetch_add(own) + own > kProcessors) exceeded = true;
        taken.fetch_sub(own);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
}

}  // namespace
}  // namespace backplane::local
