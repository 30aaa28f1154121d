// SPDX-License-Identifier: Apache-2.0
// The one thread that writes: takes all commands that wait, at most so many, as one transaction,
// so that a thousand callers share one wait for the disk.
#pragma once

#include "runtime/ledger/command.hpp"

#include <backplane/result.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace backplane {

class LedgerWriter {
 public:
  static constexpr std::size_t kWaitingMax = 65'536;
  static constexpr std::size_t kBatchMax = 2'048;

  // `run` makes one transaction of the commands and gives an answer for each; called on the
  // writer's thread, also without a command once a second, so that holds expire.
  using Run = std::function<std::vector<LedgerResult>(std::span<const LedgerCommand>)>;
  using Answered = std::function<void(LedgerResult)>;

  explicit LedgerWriter(Run run);
  ~LedgerWriter();  // what waits is done first
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  // [any-thread] As LedgerStore::submit.
  Status submit(LedgerCommand command, Answered answered);

 private:
  void run();

  const Run run_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<LedgerCommand> commands_;  // guarded by mutex_
  std::deque<Answered> answers_;        // guarded by mutex_, one for each command
  bool stopping_ = false;               // guarded by mutex_
  std::thread thread_;
};

}  // namespace backplane
