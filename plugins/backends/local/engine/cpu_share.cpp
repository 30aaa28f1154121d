// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/cpu_share.hpp"

#include <algorithm>

#include "kernels/cpu/thread_pool.hpp"

namespace backplane::local {

CpuShare& CpuShare::of_process() {
  static CpuShare share(kernels::available_cpus());
  return share;
}

CpuShare::Turn::Turn(CpuShare& share, std::size_t threads)
    : share_(share), threads_(std::min(threads, share.processors_)) {
  std::unique_lock lock(share_.mutex_);
  const std::uint64_t ticket = share_.last_ticket_++;
  share_.changed_.wait(lock, [&] {
    return ticket == share_.next_ticket_ && share_.taken_ + threads_ <= share_.processors_;
  });
  ++share_.next_ticket_;
  share_.taken_ += threads_;
  lock.unlock();
  share_.changed_.notify_all();
}

CpuShare::Turn::~Turn() {
  {
    const std::lock_guard lock(share_.mutex_);
    share_.taken_ -= threads_;
  }
  share_.changed_.notify_all();
}

}  // namespace backplane::local
