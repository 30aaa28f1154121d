// SPDX-License-Identifier: Apache-2.0
#include <cassert>

#include "plugins/backends/local/structured/matcher.hpp"

namespace backplane::local {
namespace {

std::size_t hash_of(const Frame& frame) {
  std::uint64_t hash = frame.parent * 0x9e3779b97f4a7c15u;
  hash = (hash ^ frame.node) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ frame.phase ^ std::uint64_t{frame.state} << 32) * 0x94d049bb133111ebu;
  hash ^= hash >> 29;
  hash = (hash ^ frame.count) * 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

}  // namespace

FrameTable::FrameTable() : frames_(1), slots_(1024, 0) {}

// Linear probing: what is taken out in the reverse order of going in leaves no holes.
std::size_t FrameTable::slot_of(const Frame& frame) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(frame) & mask;
  while (slots_[slot] != 0 && frames_[slots_[slot]] != frame) slot = (slot + 1) & mask;
  return slot;
}

FrameId FrameTable::intern(const Frame& frame) {
  const std::size_t slot = slot_of(frame);
  if (slots_[slot] != 0) return slots_[slot];
  const auto id = static_cast<FrameId>(frames_.size());
  slots_[slot] = id;
  frames_.push_back(frame);
  if (frames_.size() * 2 > slots_.size()) grow();
  return id;
}

void FrameTable::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (FrameId id = 1; id < frames_.size(); ++id) slots_[slot_of(frames_[id])] = id;
}

void FrameTable::shrink(std::size_t size) {
  assert(size >= 1);
  while (frames_.size() > size) {
    slots_[slot_of(frames_.back())] = 0;
    frames_.pop_back();
  }
}

}  // namespace backplane::local
