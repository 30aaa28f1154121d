// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/timer_queue.hpp"

#include <cassert>

namespace backplane {

std::uint64_t TimerQueue::add(std::int64_t due_ns, Task task) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index].task = task;
  heap_.push_back({due_ns, next_sequence_++, index});
  place(heap_.size() - 1, heap_.back());
  rise(heap_.size() - 1);
  return (static_cast<std::uint64_t>(slots_[index].generation) << 32) | index;
}

bool TimerQueue::cancel(std::uint64_t name) {
  const auto index = static_cast<std::uint32_t>(name);
  const auto generation = static_cast<std::uint32_t>(name >> 32);
  if (index >= slots_.size() || slots_[index].generation != generation ||
      slots_[index].task.run == nullptr) {
    return false;
  }
  remove_at(slots_[index].position);
  return true;
}

std::optional<std::int64_t> TimerQueue::next_due_ns() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due_ns;
}

std::optional<Task> TimerQueue::take_due(std::int64_t now_ns) {
  if (heap_.empty() || heap_.front().due_ns > now_ns) return std::nullopt;
  return remove_at(0);
}

bool TimerQueue::before(const Entry& left, const Entry& right) {
  if (left.due_ns != right.due_ns) return left.due_ns < right.due_ns;
  return left.sequence < right.sequence;
}

void TimerQueue::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void TimerQueue::rise(std::size_t position) {
  const Entry entry = heap_[position];
  while (position > 0 && before(entry, heap_[(position - 1) / 2])) {
    place(position, heap_[(position - 1) / 2]);
    position = (position - 1) / 2;
  }
  place(position, entry);
}

void TimerQueue::sink(std::size_t position) {
  const Entry entry = heap_[position];
  for (std::size_t child = 2 * position + 1; child < heap_.size(); child = 2 * position + 1) {
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

Task TimerQueue::remove_at(std::size_t position) {
  assert(position < heap_.size());
  const std::uint32_t index = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    rise(position);
    sink(slots_[last.slot].position);
  }
  Slot& slot = slots_[index];
  const Task task = slot.task;
  slot.task = {};
  ++slot.generation;
  if (slot.generation == 0) slot.generation = 1;
  free_slots_.push_back(index);
  return task;
}

}  // namespace backplane
