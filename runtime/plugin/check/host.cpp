// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/host.hpp"

#include <random>

namespace backplane {
namespace {

constexpr std::string_view kVersion = "check";

std::uint32_t log_enabled(void*, std::uint32_t) {
  return 1;
}

// Reads every byte it is given, as a real log would.
void log_write(void*, std::uint32_t, bp_str request_id, bp_str message, const bp_pair* fields,
               std::uint64_t field_count) {
  std::string line;
  const auto add = [&](bp_str text) {
    if (text.size > 0) line.append(text.data, text.size);
  };
  add(request_id);
  add(message);
  for (std::uint64_t i = 0; i < field_count; ++i) {
    add(fields[i].name);
    add(fields[i].value);
  }
}

template <class Source>
std::int64_t nanoseconds_of(void*) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Source::now().time_since_epoch())
      .count();
}

void fill_random(void*, void* target, std::uint64_t size) {
  std::random_device source;
  auto* bytes = static_cast<unsigned char*>(target);
  for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(source());
}

bp_loop* loop_at(void* context, std::uint32_t) {
  return static_cast<CheckLoop*>(context)->handle();
}
std::uint32_t loop_is_current(bp_loop* loop) {
  return CheckLoop::of(loop)->is_current() ? 1 : 0;
}
void loop_post(bp_loop* loop, bp_task task, void* argument) {
  CheckLoop::of(loop)->post(task, argument);
}
std::uint64_t loop_post_after(bp_loop* loop, std::uint64_t delay_ms, bp_task task, void* argument) {
  return CheckLoop::of(loop)->post_after(delay_ms, task, argument);
}
std::uint32_t loop_cancel(bp_loop* loop, std::uint64_t timer) {
  return CheckLoop::of(loop)->cancel(timer) ? 1 : 0;
}

}  // namespace

bool CheckLoop::run_until(const std::function<bool()>& done, std::chrono::milliseconds time) {
  const Clock::time_point end = Clock::now() + time;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    lock.unlock();
    const bool finished = done();
    lock.lock();
    if (finished) return true;
    const Clock::time_point now = Clock::now();
    if (now >= end) return false;
    if (run_one(lock)) continue;
    Clock::time_point until = end;
    if (!tasks_.empty()) until = std::min(until, tasks_.begin()->first);
    changed_.wait_until(lock, std::min(until, now + std::chrono::milliseconds(10)));
  }
}

bool CheckLoop::run_one(std::unique_lock<std::mutex>& lock) {
  if (tasks_.empty() || tasks_.begin()->first > Clock::now()) return false;
  const Task task = tasks_.begin()->second;
  tasks_.erase(tasks_.begin());
  lock.unlock();
  task.run(task.argument);
  lock.lock();
  return true;
}

void CheckLoop::wake() {
  changed_.notify_all();
}

std::uint64_t CheckLoop::add(Clock::time_point due, bp_task task, void* argument) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::uint64_t name = next_name_++;
  tasks_.insert({due, Task{name, task, argument}});
  changed_.notify_all();
  return name;
}

void CheckLoop::post(bp_task task, void* argument) {
  add(Clock::now(), task, argument);
}

std::uint64_t CheckLoop::post_after(std::uint64_t delay_ms, bp_task task, void* argument) {
  return add(Clock::now() + std::chrono::milliseconds(delay_ms), task, argument);
}

bool CheckLoop::cancel(std::uint64_t timer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto task = tasks_.begin(); task != tasks_.end(); ++task) {
    if (task->second.name != timer) continue;
    tasks_.erase(task);
    return true;
  }
  return false;
}

CheckHost::CheckHost()
    : table_{sizeof(bp_host),
             BP_ABI_MAJOR,
             BP_ABI_MINOR,
             0,
             {kVersion.data(), kVersion.size()},
             this,
             &get_interface},
      log_{sizeof(bp_log), 0, nullptr, &log_enabled, &log_write},
      clock_{sizeof(bp_clock),
             0,
             nullptr,
             &nanoseconds_of<std::chrono::steady_clock>,
             &nanoseconds_of<std::chrono::system_clock>,
             &fill_random},
      loop_service_{sizeof(bp_loop_service), 1,          &loop_,           &loop_at,
                    &loop_is_current,        &loop_post, &loop_post_after, &loop_cancel} {}

const void* CheckHost::get_interface(const bp_host* self, bp_str id) {
  const std::string_view name(id.data, id.size);
  return static_cast<CheckHost*>(self->context)->find(name);
}

const void* CheckHost::find(std::string_view id) {
  const std::string name(id);
  const void* table = nullptr;
  if (withheld_.count(name) == 0 && withheld_.count("*") == 0) {
    if (id == BP_LOG_ID) table = &log_;
    if (id == BP_CLOCK_ID) table = &clock_;
    if (id == BP_LOOP_ID) table = &loop_service_;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  asked_[name] = table != nullptr;
  return table;
}

std::vector<std::string> CheckHost::asked() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> names;
  for (const auto& entry : asked_) names.push_back(entry.first);
  return names;
}

std::vector<std::string> CheckHost::refused() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> names;
  for (const auto& entry : asked_) {
    if (!entry.second) names.push_back(entry.first);
  }
  return names;
}

}  // namespace backplane
