// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/thread_pool.hpp"

#include <algorithm>
#include <cassert>

namespace backplane::kernels {
namespace {

// About 20 us: longer than the gap between two operators, shorter than a time slice.
constexpr int kSpins = 400;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(const Loop& loop) {
  assert(loop.chunk > 0);
  if (loop.count == 0) return;
  if (workers_.empty() || loop.count <= loop.chunk) return loop.call(loop.body, 0, loop.count);
  {
    const std::lock_guard lock(mutex_);
    assert(active_ == 0);
    loop_ = loop;
    open_ = true;
    next_.store(0, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  work(loop);
  std::unique_lock lock(mutex_);
  open_ = false;
  idle_.wait(lock, [this] { return active_ == 0; });
}

void ThreadPool::work(const Loop& loop) {
  for (;;) {
    const std::size_t begin = next_.fetch_add(loop.chunk, std::memory_order_relaxed);
    if (begin >= loop.count) return;
    loop.call(loop.body, begin, std::min(begin + loop.chunk, loop.count));
  }
}

void ThreadPool::await_loop(std::uint64_t seen) {
  for (int i = 0; i < kSpins; ++i) {
    if (generation_.load(std::memory_order_acquire) != seen) return;
    relax();
  }
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
}

void ThreadPool::serve() {
  std::uint64_t seen = 0;
  for (;;) {
    await_loop(seen);
    std::unique_lock lock(mutex_);
    seen = generation_.load(std::memory_order_relaxed);
    if (stopping_) return;
    if (!open_) continue;
    ++active_;
    const Loop loop = loop_;
    lock.unlock();
    work(loop);
    lock.lock();
    if (--active_ == 0) idle_.notify_one();
  }
}

}  // namespace backplane::kernels
