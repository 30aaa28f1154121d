// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/pipeline/virtual_loops.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace backplane::test {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

struct Task {
  bp_task run;
  void* argument;
};

}  // namespace

struct VirtualLoops::Loop {
  VirtualLoops* owner;
  std::deque<Task> tasks;
  std::map<std::pair<std::int64_t, std::uint64_t>, Task> timers;

  static Loop* of(bp_loop* loop) { return reinterpret_cast<Loop*>(loop); }
  bp_loop* handle() { return reinterpret_cast<bp_loop*>(this); }

  static std::uint32_t is_current(bp_loop* loop) {
    return of(loop)->owner->current_ == of(loop) ? 1 : 0;
  }
  static void post(bp_loop* loop, bp_task task, void* argument) {
    of(loop)->tasks.push_back({task, argument});
  }
  static std::uint64_t post_after(bp_loop* loop, std::uint64_t delay_ms, bp_task task,
                                  void* argument) {
    EXPECT_TRUE(is_current(loop)) << "post_after off its loop";
    VirtualLoops& owner = *of(loop)->owner;
    const std::int64_t due_ns =
        owner.now_ns_ + static_cast<std::int64_t>(delay_ms) * kMillisecondNs;
    const std::uint64_t name = owner.next_timer_++;
    of(loop)->timers.emplace(std::pair(due_ns, name), Task{task, argument});
    return name;
  }
  static std::uint32_t cancel(bp_loop* loop, std::uint64_t timer) {
    EXPECT_TRUE(is_current(loop)) << "a timer cancelled off its loop";
    auto& timers = of(loop)->timers;
    for (auto entry = timers.begin(); entry != timers.end(); ++entry) {
      if (entry->first.second != timer) continue;
      timers.erase(entry);
      return 1;
    }
    return 0;
  }
};

VirtualLoops::VirtualLoops(std::uint32_t count, std::uint64_t seed)
    : random_(seed),
      service_{sizeof(bp_loop_service),
               count,
               this,
               [](void* self, std::uint32_t index) {
                 return static_cast<VirtualLoops*>(self)->at(index);
               },
               &Loop::is_current,
               &Loop::post,
               &Loop::post_after,
               &Loop::cancel},
      clock_{sizeof(bp_clock),
             0,
             this,
             [](void* self) { return static_cast<VirtualLoops*>(self)->now_ns_; },
             [](void* self) {
               return 1'700'000'000'000'000'000 + static_cast<VirtualLoops*>(self)->now_ns_;
             },
             [](void* self, void* target, std::uint64_t size) {
               auto* out = static_cast<unsigned char*>(target);
               for (std::uint64_t i = 0; i < size; ++i) {
                 out[i] = static_cast<unsigned char>(static_cast<VirtualLoops*>(self)->random_());
               }
             }} {
  for (std::uint32_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(Loop{this, {}, {}}));
  }
  current_ = loops_.front().get();
}

VirtualLoops::~VirtualLoops() = default;

bp_loop* VirtualLoops::at(std::uint32_t index) const {
  return loops_[index]->handle();
}

VirtualLoops::Loop* VirtualLoops::run_on(Loop* loop) {
  return std::exchange(current_, loop);
}

void VirtualLoops::elsewhere(const std::function<void()>& body) {
  Loop* const before = run_on(nullptr);
  body();
  current_ = before;
}

void VirtualLoops::on(std::uint32_t index, const std::function<void()>& body) {
  Loop* const before = run_on(loops_[index].get());
  body();
  current_ = before;
}

bool VirtualLoops::run_one() {
  const std::size_t first = loops_.size() == 1 ? 0 : random_() % loops_.size();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    Loop* const loop = loops_[(first + i) % loops_.size()].get();
    if (loop->tasks.empty()) continue;
    const Task task = loop->tasks.front();
    loop->tasks.pop_front();
    Loop* const before = run_on(loop);
    task.run(task.argument);
    current_ = before;
    return true;
  }
  return false;
}

void VirtualLoops::run_until_idle() {
  while (run_one()) {
  }
}

bool VirtualLoops::run_timer(std::int64_t until_ns) {
  Loop* next = nullptr;
  for (const auto& loop : loops_) {
    if (loop->timers.empty() || loop->timers.begin()->first.first > until_ns) continue;
    if (next == nullptr || loop->timers.begin()->first < next->timers.begin()->first) {
      next = loop.get();
    }
  }
  if (next == nullptr) return false;
  const auto timer = next->timers.extract(next->timers.begin());
  now_ns_ = std::max(now_ns_, timer.key().first);
  Loop* const before = run_on(next);
  timer.mapped().run(timer.mapped().argument);
  current_ = before;
  return true;
}

void VirtualLoops::advance(std::uint64_t delay_ms) {
  const std::int64_t until_ns = now_ns_ + static_cast<std::int64_t>(delay_ms) * kMillisecondNs;
  run_until_idle();
  while (run_timer(until_ns)) run_until_idle();
  now_ns_ = until_ns;
}

void VirtualLoops::run_to_the_end() {
  run_until_idle();
  while (run_timer(INT64_MAX)) run_until_idle();
}

std::size_t VirtualLoops::timer_count() const {
  std::size_t count = 0;
  for (const auto& loop : loops_) count += loop->timers.size();
  return count;
}

}  // namespace backplane::test
