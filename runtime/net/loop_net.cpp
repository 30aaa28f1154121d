// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/loop_net.hpp"

#include <cassert>

#include "runtime/net/connection.hpp"

namespace backplane {

namespace {

constexpr std::size_t kSpareOutputsMax = 64;
constexpr std::size_t kSpareOutputBytesMax = 64 * 1024;

}  // namespace

void LoopNet::add(Connection& connection) {
  connection.index_ = static_cast<std::uint32_t>(connections_.size());
  connections_.push_back(&connection);
  sweep_.add(connection);
  count_.fetch_add(1, std::memory_order_relaxed);
  added_.fetch_add(1, std::memory_order_relaxed);
}

void LoopNet::remove(Connection& connection) {
  assert(connections_[connection.index_] == &connection);
  sweep_.remove(connection);
  connections_[connection.index_] = connections_.back();
  connections_[connection.index_]->index_ = connection.index_;
  connections_.pop_back();
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void LoopNet::abort_all(const ConnectionGroup* group) {
  for (Connection* connection : connections_) {
    if (group == nullptr || connection->group() == group) connection->abort();
  }
}

void LoopNet::forget(const Acceptor& acceptor, Acceptor* successor) {
  for (Connection* connection : connections_) connection->forget(acceptor, successor);
}

std::string LoopNet::take_output() {
  if (spare_outputs_.empty()) return {};
  std::string output = std::move(spare_outputs_.back());
  spare_outputs_.pop_back();
  return output;
}

void LoopNet::give_back_output(std::string output) {
  if (output.capacity() > kSpareOutputBytesMax || spare_outputs_.size() >= kSpareOutputsMax) return;
  output.clear();
  spare_outputs_.push_back(std::move(output));
}

}  // namespace backplane
