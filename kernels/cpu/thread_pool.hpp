// SPDX-License-Identifier: Apache-2.0
// A pool that splits one loop at a time. Threads take chunks as they come free, so one that the
// system holds up delays its own chunk only, and nobody waits for a thread that never joined.
// One caller at a time; the caller works too. Joins its threads when destroyed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace backplane::kernels {

class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t threads() const { return workers_.size() + 1; }

  // Calls body(begin, end) over [0, count) in chunks of `chunk`, from any thread, and returns
  // when all are done. One chunk or one thread: runs here, without waking anybody.
  template <class Body>
  void for_each_chunk(std::size_t count, std::size_t chunk, const Body& body) {
    run({count, chunk, &body, [](const void* self, std::size_t begin, std::size_t end) {
           (*static_cast<const Body*>(self))(begin, end);
         }});
  }

 private:
  struct Loop {
    std::size_t count = 0;
    std::size_t chunk = 1;
    const void* body = nullptr;
    void (*call)(const void*, std::size_t, std::size_t) = nullptr;
  };
  void run(const Loop& loop);
  void work(const Loop& loop);
  void serve();
  void await_loop(std::uint64_t seen);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  Loop loop_;
  bool open_ = false;
  bool stopping_ = false;
  std::size_t active_ = 0;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::size_t> next_{0};
  std::vector<std::thread> workers_;
};

// Processors this process may keep busy: the affinity mask, bounded by the cgroup's CPU quota.
// At least 1.
std::size_t available_cpus();

}  // namespace backplane::kernels
