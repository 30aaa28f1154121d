// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/pending_logprobs.hpp"

#include <cstdint>
#include <utility>

namespace backplane::local {

const std::vector<LogprobEntry>& PendingLogprobs::take_before(std::size_t end) {
  taken_.clear();
  while (!waiting_.empty() && waiting_.front().begin < end) {
    taken_.push_back(std::move(waiting_.front().entry));
    waiting_.pop_front();
  }
  return taken_;
}

const std::vector<LogprobEntry>& PendingLogprobs::take_all() {
  return take_before(SIZE_MAX);
}

}  // namespace backplane::local
