// SPDX-License-Identifier: Apache-2.0
// Entropy of the host: never the same twice, on any thread, on either side of a fork.
#include "runtime/services/clock.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace backplane {
namespace {

std::string draw(std::size_t size) {
  std::string bytes(size, '\0');
  const bp_clock& clock = *system_clock();
  clock.random(clock.context, bytes.data(), bytes.size());
  return bytes;
}

TEST(Clock, RandomBytesNeverRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(draw(16)).second);
}

TEST(Clock, RandomBytesAreFilledAtEverySize) {
  for (const std::size_t size : {1U, 7U, 255U, 256U, 257U, 4096U}) {
    std::set<std::string> seen;
    std::string joined;
    for (int i = 0; i < 64; ++i) joined += draw(size);
    for (std::size_t at = 0; at + 16 <= joined.size(); at += 16) {
      EXPECT_TRUE(seen.insert(joined.substr(at, 16)).second) << size << " bytes, at " << at;
    }
  }
}

TEST(Clock, ThreadsDrawApart) {
  std::array<std::vector<std::string>, 4> drawn;
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 1000; ++i) mine.push_back(draw(16));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> seen;
  for (const auto& mine : drawn) {
    for (const std::string& bytes : mine) EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(Clock, AForkedProcessDrawsItsOwn) {
  draw(16);  // leaves a stock that the child inherits
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string bytes = draw(16);
    _exit(write(ends[1], bytes.data(), bytes.size()) == 16 ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  std::string theirs(16, '\0');
  ASSERT_EQ(read(ends[0], theirs.data(), theirs.size()), 16);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(theirs, draw(16));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace backplane
