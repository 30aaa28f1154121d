// SPDX-License-Identifier: Apache-2.0
// What one loop keeps for its connections and for the sockets that accept them. All [loop] but
// count.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "runtime/net/deadline_sweep.hpp"
#include "runtime/net/event_loop.hpp"

namespace backplane {

class Acceptor;
class Connection;
struct ConnectionGroup;

class LoopNet {
 public:
  explicit LoopNet(EventLoop& loop) : loop_(loop), sweep_(loop) {}

  EventLoop& loop() { return loop_; }
  DeadlineSweep& sweep() { return sweep_; }
  std::size_t count() const { return count_.load(std::memory_order_relaxed); }    // [any-thread]
  std::uint64_t added() const { return added_.load(std::memory_order_relaxed); }  // [any-thread]

  void add(Connection& connection);
  void remove(Connection& connection);
  void abort_all(const ConnectionGroup* group);  // null: of all
  void forget(const Acceptor& acceptor, Acceptor* successor);

  // Buffers for pending output, kept so that a busy loop allocates none.
  std::string take_output();
  void give_back_output(std::string output);

 private:
  EventLoop& loop_;
  DeadlineSweep sweep_;
  std::vector<Connection*> connections_;
  std::vector<std::string> spare_outputs_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> added_{0};
};

}  // namespace backplane
