// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/loop.hpp"

#include <cassert>
#include <system_error>

#include "runtime/net/cores.hpp"
#include "runtime/net/event_loop.hpp"

namespace backplane {

namespace {

bp_loop* loop_at(void* context, std::uint32_t index) {
  const auto& loops = *static_cast<const Loops*>(context);
  assert(index < loops.count());
  return loops.at(index).handle();
}

std::uint32_t is_current(bp_loop* loop) {
  return EventLoop::of(loop).is_current() ? 1 : 0;
}

void post(bp_loop* loop, bp_task task, void* argument) {
  EventLoop::of(loop).post(task, argument);
}

std::uint64_t post_after(bp_loop* loop, std::uint64_t delay_ms, bp_task task, void* argument) {
  return EventLoop::of(loop).post_after(delay_ms, task, argument);
}

std::uint32_t cancel(bp_loop* loop, std::uint64_t timer) {
  return EventLoop::of(loop).cancel(timer) ? 1 : 0;
}

}  // namespace

Result<std::unique_ptr<Loops>> Loops::start(std::uint32_t count) {
  if (count == 0) count = available_cores();
  if (count > kLoopsMax) {
    return invalid_argument("cannot start " + std::to_string(count) +
                            " event loops: ask for at most " + std::to_string(kLoopsMax));
  }
  std::vector<std::unique_ptr<EventLoop>> loops;
  for (std::uint32_t index = 0; index < count; ++index) {
    auto loop = EventLoop::create(index);
    if (!loop) return loop.error();
    loops.push_back(std::move(*loop));
  }
  auto self = std::unique_ptr<Loops>(new Loops(std::move(loops)));
  try {
    for (const auto& loop : self->loops_) loop->start();
  } catch (const std::system_error&) {
    return Error{Code::kResourceExhausted,
                 "cannot start the threads of the event loops: raise the limit of processes "
                 "(ulimit -u) or ask for fewer",
                 {},
                 0,
                 0};
  }
  return self;
}

Loops::Loops(std::vector<std::unique_ptr<EventLoop>> loops) : loops_(std::move(loops)) {
  table_.struct_size = sizeof(table_);
  table_.count = static_cast<std::uint32_t>(loops_.size());
  table_.context = this;
  table_.at = loop_at;
  table_.is_current = is_current;
  table_.post = post;
  table_.post_after = post_after;
  table_.cancel = cancel;
}

Loops::~Loops() {
  stop();
}

void Loops::stop() {
  for (const auto& loop : loops_) loop->stop();
}

}  // namespace backplane
