// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/ledger_writer.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <iterator>
#include <utility>

namespace backplane {
namespace {

constexpr std::chrono::seconds kExpiryTick{1};

template <class Item>
std::vector<Item> take_first(std::deque<Item>& items, std::size_t count) {
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Item> taken(std::make_move_iterator(items.begin()), std::make_move_iterator(end));
  items.erase(items.begin(), end);
  return taken;
}

}  // namespace

LedgerWriter::LedgerWriter(Run run) : run_(std::move(run)), thread_([this] { this->run(); }) {}

LedgerWriter::~LedgerWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Status LedgerWriter::submit(LedgerCommand command, Answered answered) {
  if (auto status = check_bounds(command); !status) return status;
  {
    const std::lock_guard lock(mutex_);
    if (commands_.size() >= kWaitingMax) {
      return Error{Code::kResourceExhausted, "the ledger has too much to write", {}, 0, 1000};
    }
    commands_.push_back(std::move(command));
    answers_.push_back(std::move(answered));
  }
  wake_.notify_one();
  return ok();
}

void LedgerWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait_for(lock, kExpiryTick, [this] { return stopping_ || !commands_.empty(); });
    if (stopping_ && commands_.empty()) return;
    const std::size_t count = std::min(commands_.size(), kBatchMax);
    const std::vector<LedgerCommand> commands = take_first(commands_, count);
    const std::vector<Answered> answers = take_first(answers_, count);
    lock.unlock();
    std::vector<LedgerResult> results = run_(commands);
    assert(results.size() == answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) answers[i](std::move(results[i]));
    lock.lock();
  }
}

}  // namespace backplane
