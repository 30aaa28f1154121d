// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace backplane::kernels {
namespace {

TEST(ThreadPool, EveryIndexIsVisitedOnce) {
  for (const std::size_t threads : {1u, 2u, 5u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t count : {0u, 1u, 7u, 64u, 1000u}) {
      for (const std::size_t chunk : {1u, 3u, 64u, 5000u}) {
        std::vector<int> visits(count);
        pool.for_each_chunk(count, chunk, [&](std::size_t begin, std::size_t end) {
          EXPECT_LE(end - begin, std::max(chunk, threads == 1 ? count : chunk));
          for (std::size_t i = begin; i < end; ++i) ++visits[i];
        });
        EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), 0), static_cast<int>(count));
        EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), static_cast<long>(count));
      }
    }
  }
}

TEST(ThreadPool, ManyShortLoopsFollowEachOther) {
  ThreadPool pool(3);
  std::vector<std::size_t> sums(16);
  for (int round = 0; round < 2000; ++round) {
    pool.for_each_chunk(sums.size(), 1, [&](std::size_t begin, std::size_t) { ++sums[begin]; });
  }
  for (const std::size_t sum : sums) EXPECT_EQ(sum, 2000u);
}

TEST(ThreadPool, AtLeastOneProcessorIsAvailable) {
  EXPECT_GE(available_cpus(), 1u);
  EXPECT_LE(available_cpus(), 4096u);
}

}  // namespace
}  // namespace backplane::kernels
