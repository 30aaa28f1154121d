// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <future>
#include <utility>

namespace backplane {

namespace {

constexpr int kEventsPerTurn = 256;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::uint64_t kDelayMaxMs = 1ull << 40;  // 35 years; keeps the sum in range

thread_local const EventLoop* current_loop = nullptr;

}  // namespace

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

Result<std::unique_ptr<EventLoop>> EventLoop::create(std::uint32_t index) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll >= 0 && wake >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0) {
    return std::unique_ptr<EventLoop>(new EventLoop(index, epoll, wake));
  }
  if (epoll >= 0) close(epoll);
  if (wake >= 0) close(wake);
  return Error{Code::kResourceExhausted,
               "cannot create an event loop: out of file descriptors; raise the limit (ulimit -n)",
               {},
               0,
               0};
}

EventLoop::EventLoop(std::uint32_t index, int epoll, int wake)
    : index_(index),
      epoll_(epoll),
      wake_(wake),
      turn_time_ns_(monotonic_ns()),
      scratch_(new char[kScratchBytes]) {}

EventLoop::~EventLoop() {
  stop();
  close(wake_);
  close(epoll_);
}

void EventLoop::start() {
  assert(!thread_.joinable() && !joined_);
  thread_ = std::thread([this] { run(); });
}

void EventLoop::stop() {
  if (joined_) return;
  stopping_.store(true);
  wake_up();
  if (thread_.joinable()) thread_.join();
  joined_ = true;
}

bool EventLoop::is_current() const {
  return current_loop == this;
}

void EventLoop::post(bp_task task, void* argument) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back({task, argument});
    wake = std::exchange(asleep_, false) && !is_current();  // its own turn ends with posted tasks
  }
  if (wake) wake_up();
}

void EventLoop::run_and_wait(const std::function<void()>& work) {
  if (joined_ || !thread_.joinable()) {
    work();
    while (!deferred_.empty()) run_deferred();
    return;
  }
  if (is_current()) return work();
  struct Call {
    const std::function<void()>& work;
    std::promise<void> done;
  } call{work, {}};
  const auto run_call = [](void* argument) {
    auto& self = *static_cast<Call*>(argument);
    self.work();
    std::promise<void> finished = std::move(self.done);  // outlives the waiting caller's frame
    finished.set_value();
  };
  std::future<void> done = call.done.get_future();
  post(run_call, &call);
  done.wait();
}

std::uint64_t EventLoop::post_after(std::uint64_t delay_ms, bp_task task, void* argument) {
  assert(is_current() || joined_);
  const auto delay = static_cast<std::int64_t>(std::min(delay_ms, kDelayMaxMs));
  return timers_.add(monotonic_ns() + delay * kNanosecondsPerMillisecond, {task, argument});
}

bool EventLoop::cancel(std::uint64_t timer) {
  assert(is_current() || joined_);
  return timers_.cancel(timer);
}

bool EventLoop::watch(int descriptor, std::uint32_t epoll_events, Watch& watch) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &watch;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void EventLoop::change(int descriptor, std::uint32_t epoll_events, Watch& watch) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &watch;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void EventLoop::unwatch(int descriptor) {
  // Closing is not enough: a child between fork and exec keeps the registration alive.
  epoll_event event{};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event);
}

void EventLoop::defer(TurnEnd& work) {
  if (std::exchange(work.queued_, true)) return;
  deferred_.push_back(&work);
}

void EventLoop::run() {
  current_loop = this;
  while (!stopping_.load()) turn();
  run_posted();
  run_deferred();
  current_loop = nullptr;
}

void EventLoop::turn() {
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = epoll_wait(epoll_, events.data(), kEventsPerTurn, wait_ms());
  turn_time_ns_ = monotonic_ns();
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = events[static_cast<std::size_t>(index)];
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->on_ready(event.events);
  }
  run_posted();
  run_timers();
  run_deferred();
}

int EventLoop::wait_ms() {
  if (!deferred_.empty() || stopping_.load()) return 0;
  {
    const std::lock_guard lock(mutex_);
    if (!posted_.empty()) return 0;
    asleep_ = true;
  }
  const auto due_ns = timers_.next_due_ns();
  if (!due_ns) return -1;
  const std::int64_t left_ns = *due_ns - monotonic_ns();
  if (left_ns <= 0) return 0;
  const std::int64_t left_ms =
      (left_ns + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond;
  return static_cast<int>(std::min<std::int64_t>(left_ms, INT_MAX));
}

void EventLoop::wake_up() {
  const std::uint64_t one = 1;
  // Cannot fail but by a full counter, which is a wake-up already.
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

void EventLoop::run_posted() {
  {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    running_.swap(posted_);
  }
  for (const Task& task : running_) task.run(task.argument);
  running_.clear();
}

void EventLoop::run_timers() {
  while (const auto task = timers_.take_due(turn_time_ns_)) task->run(task->argument);
}

void EventLoop::run_deferred() {
  ending_.swap(deferred_);
  for (TurnEnd* work : ending_) {
    work->queued_ = false;
    work->at_turn_end();
  }
  ending_.clear();
}

}  // namespace backplane
