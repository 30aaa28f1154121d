// SPDX-License-Identifier: Apache-2.0
// Keeps what is said about tokens back until their text is said: text may be held, and cut off.
// Places are bytes of the answer's text as it leaves the detokenizer. One answer, one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "plugins/backends/local/sampling/logprobs.hpp"

namespace backplane::local {

class PendingLogprobs {
 public:
  // A token whose text begins at `begin`.
  void push(LogprobEntry entry, std::size_t begin) {
    waiting_.push_back({begin, std::move(entry)});
  }
  // Those whose text has begun before `end`, valid until the next call.
  const std::vector<LogprobEntry>& take_before(std::size_t end);
  const std::vector<LogprobEntry>& take_all();

 private:
  struct Waiting {
    std::size_t begin;
    LogprobEntry entry;
  };
  std::deque<Waiting> waiting_;
  std::vector<LogprobEntry> taken_;
};

}  // namespace backplane::local
