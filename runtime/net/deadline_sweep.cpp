// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/deadline_sweep.hpp"

#include <algorithm>
#include <cassert>

namespace backplane {

DeadlineSweep::~DeadlineSweep() {
  if (timer_ != 0) loop_.cancel(timer_);
}

void DeadlineSweep::add(Timed& timed) {
  timed.slot_ = static_cast<std::uint32_t>(slots_.size());
  slots_.push_back({0, &timed});
}

void DeadlineSweep::remove(Timed& timed) {
  assert(timed.slot_ < slots_.size() && slots_[timed.slot_].timed == &timed);
  const Slot last = slots_.back();
  slots_[timed.slot_] = last;
  last.timed->slot_ = timed.slot_;
  slots_.pop_back();
  std::replace(due_.begin(), due_.end(), &timed, static_cast<Timed*>(nullptr));
}

void DeadlineSweep::set(Timed& timed, std::int64_t deadline_ns) {
  assert(timed.slot_ < slots_.size() && slots_[timed.slot_].timed == &timed);
  slots_[timed.slot_].deadline_ns = deadline_ns;
  if (deadline_ns != 0 && timer_ == 0) arm();
}

void DeadlineSweep::arm() {
  const auto run = [](void* self) { static_cast<DeadlineSweep*>(self)->sweep(); };
  timer_ = loop_.post_after(kSweepIntervalMs, run, this);
}

void DeadlineSweep::sweep() {
  timer_ = 0;
  bool armed = false;
  const std::int64_t now_ns = loop_.turn_time_ns();
  for (Slot& slot : slots_) {
    if (slot.deadline_ns == 0) continue;
    if (slot.deadline_ns > now_ns) {
      armed = true;
      continue;
    }
    slot.deadline_ns = 0;
    due_.push_back(slot.timed);
  }
  for (std::size_t index = 0; index < due_.size(); ++index) {
    if (due_[index] != nullptr) due_[index]->on_deadline();
  }
  due_.clear();
  if (armed && timer_ == 0) arm();
}

}  // namespace backplane
