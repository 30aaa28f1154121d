// SPDX-License-Identifier: Apache-2.0
// One-shot timers of one event loop: a binary heap whose entries can be taken out again, so that a
// cancelled timer costs nothing until it would have been due. Not thread-safe.
#pragma once

#include <backplane/loop.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace backplane {

struct Task {
  bp_task run = nullptr;
  void* argument = nullptr;
};

class TimerQueue {
 public:
  // Returns the timer's name, never 0, not used again for a long time.
  std::uint64_t add(std::int64_t due_ns, Task task);
  // False: it has run, or there is no such timer.
  bool cancel(std::uint64_t name);
  // When the next timer is due, if there is one.
  std::optional<std::int64_t> next_due_ns() const;
  // Takes out the next task that is due at now_ns; among equals the one added first.
  std::optional<Task> take_due(std::int64_t now_ns);

 private:
  struct Entry {
    std::int64_t due_ns;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  struct Slot {
    Task task;
    std::uint32_t position = 0;
    std::uint32_t generation = 1;
  };

  static bool before(const Entry& left, const Entry& right);
  void place(std::size_t position, const Entry& entry);
  void rise(std::size_t position);
  void sink(std::size_t position);
  Task remove_at(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace backplane
