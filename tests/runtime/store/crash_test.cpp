// SPDX-License-Identifier: Apache-2.0
// A process that is killed while it writes: what it was told is done is done, the rest is done or
// not, and the books balance.
#include "runtime/services/clock.hpp"
#include "tests/runtime/store/engines.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

namespace backplane::test {
namespace {

constexpr int kCalls = 20'000;  // more than a child gets done

// Holds and captures until it is killed, and says what is on disk: 'h' and 'c', call by call.
[[noreturn]] void work(StorePlace& place, int round, int told) {
  const auto store = place.open(*system_clock());
  for (int i = 0; i < kCalls; ++i) {
    const std::string key = std::to_string(round) + "." + std::to_string(i);
    const auto say = [told](char what) {
      return [told, what](const LedgerResult& result) {
        const char said = result ? what : '!';
        if (::write(told, &said, 1) != 1) ::_exit(1);
      };
    };
    Status status = store->submit(Hold{key, "user", 10, INT64_MAX}, say('h'));
    if (status) status = store->submit(Capture{key, "revenue", 7, "call", ""}, say('c'));
    if (!status) std::this_thread::yield();
  }
  ::_exit(0);
}

std::string read_all(int descriptor, std::size_t enough, pid_t child) {
  std::string said;
  char bytes[4096];
  bool killed = false;
  while (true) {
    const ssize_t size = ::read(descriptor, bytes, sizeof bytes);
    if (size <= 0) return said;
    said.append(bytes, static_cast<std::size_t>(size));
    if (!killed && said.size() >= enough) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
}

class CrashTest : public testing::TestWithParam<Engine> {};

TEST_P(CrashTest, BooksAreRightAfterEveryKill) {
  const char* given = std::getenv("BACKPLANE_CRASH_ROUNDS");
  const int rounds = given == nullptr ? 20 : std::atoi(given);
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto place = GetParam().make();
  if (place == nullptr) GTEST_SKIP() << GetParam().name << " is not installed";
  {
    const auto store = place->open(*system_clock());
    ASSERT_TRUE(store->execute(OpenAccount{"world", true}));
    ASSERT_TRUE(store->execute(OpenAccount{"user"}));
    ASSERT_TRUE(store->execute(OpenAccount{"revenue"}));
    ASSERT_TRUE(store->execute(Transfer{"d", "world", "user", kAmountMax, "deposit", ""}));
  }
  NanoUsd least = 0;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) work(*place, round, ends[1]);
    ::close(ends[1]);
    const std::string said = read_all(ends[0], random() % 3000, child);
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    ASSERT_EQ(said.find('!'), std::string::npos) << said;

    const auto store = place->open(*system_clock());
    Audit audit;
    ASSERT_TRUE(store->read_books(audit));
    const auto report = audit.finish();
    ASSERT_TRUE(report.is_clean()) << report.faults.front();
    const NanoUsd captured = std::count(said.begin(), said.end(), 'c');
    const NanoUsd revenue = store->balance("revenue")->posted / 7;
    ASSERT_GE(revenue, least + captured) << "what was said to be done is not there";
    least = revenue;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CrashTest, testing::ValuesIn(engines_begin(), engines_end()),
                         [](const auto& engine) { return std::string(engine.param.name); });

}  // namespace
}  // namespace backplane::test
