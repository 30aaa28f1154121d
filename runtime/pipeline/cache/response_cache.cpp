// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/response_cache.hpp"

#include <algorithm>
#include <cassert>

namespace backplane {
namespace {

constexpr std::uint64_t kEntryOverheadBytes = 256;  // its place in list and map
constexpr std::uint32_t kFailuresMax = 2;           // of one flight

}  // namespace

void ResponseCache::set_bounds(const Bounds& bounds) {
  bytes_max_.store(bounds.bytes_max);
  answer_bytes_max_.store(bounds.answer_bytes_max);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    make_room(shard, bounds.bytes_max / kShards);
  }
}

std::uint64_t ResponseCache::answer_bytes_max() const {
  const std::uint64_t share = bytes_max_.load() / kShards;
  const std::uint64_t room = share > kEntryOverheadBytes ? share - kEntryOverheadBytes : 0;
  return std::min(answer_bytes_max_.load(), room);
}

SharedAnswer ResponseCache::find(const CacheKey& key, std::int64_t now_ns,
                                 std::int64_t age_max_ns) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return find_in(shard, key, now_ns, age_max_ns);
}

// One that is too old for its asker may still do for another.
SharedAnswer ResponseCache::find_in(Shard& shard, const CacheKey& key, std::int64_t now_ns,
                                    std::int64_t age_max_ns) {
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return nullptr;
  if (now_ns - found->second->answer->made_ns >= age_max_ns) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return found->second->answer;
}

ResponseCache::Entrance ResponseCache::enter(const CacheKey& key, std::int64_t now_ns,
                                             std::int64_t age_max_ns, CacheWaiter& waiter) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (SharedAnswer answer = find_in(shard, key, now_ns, age_max_ns)) return {std::move(answer)};
  const auto [flight, is_new] = shard.flights.try_emplace(key);
  if (is_new) {
    flights_.fetch_add(1);
    return {nullptr, true};
  }
  std::list<CacheWaiter*>& waiting = flight->second.waiting;
  waiter.place_ = waiting.insert(waiting.end(), &waiter);
  waiter.waits_ = true;
  return {};
}

bool ResponseCache::leave(const CacheKey& key, CacheWaiter& waiter) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (!waiter.waits_) return false;
  waiter.waits_ = false;
  shard.flights[key].waiting.erase(waiter.place_);
  return true;
}

void ResponseCache::keep(const CacheKey& key, SharedAnswer answer) {
  const std::uint64_t bytes = answer->bytes() + kEntryOverheadBytes;
  const std::uint64_t bytes_max = bytes_max_.load() / kShards;
  if (bytes > bytes_max) return;
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (const auto before = shard.by_key.find(key); before != shard.by_key.end()) {
    drop(shard, before->second);
  }
  make_room(shard, bytes_max - bytes);
  shard.entries.push_front({key, std::move(answer), bytes});
  shard.by_key.emplace(key, shard.entries.begin());
  shard.bytes += bytes;
  bytes_.fetch_add(bytes);
  answers_.fetch_add(1);
}

void ResponseCache::make_room(Shard& shard, std::uint64_t bytes_max) {
  while (shard.bytes > bytes_max) {
    drop(shard, std::prev(shard.entries.end()));
    evictions_.fetch_add(1);
  }
}

void ResponseCache::drop(Shard& shard, std::list<Entry>::iterator entry) {
  shard.bytes -= entry->bytes;
  bytes_.fetch_sub(entry->bytes);
  answers_.fetch_sub(1);
  shard.by_key.erase(entry->key);
  shard.entries.erase(entry);
}

std::list<CacheWaiter*> ResponseCache::take_waiting(Shard& shard, const CacheKey& key,
                                                    bool only_first) {
  const auto found = shard.flights.find(key);
  assert(found != shard.flights.end());
  std::list<CacheWaiter*>& waiting = found->second.waiting;
  std::list<CacheWaiter*> taken;
  if (only_first && !waiting.empty()) {
    taken.splice(taken.begin(), waiting, waiting.begin());
  } else {
    taken.swap(waiting);
    shard.flights.erase(found);
    flights_.fetch_sub(1);
  }
  for (CacheWaiter* waiter : taken) waiter->waits_ = false;
  return taken;
}

void ResponseCache::land(const CacheKey& key, const SharedAnswer& answer) {
  Shard& shard = shard_of(key);
  std::unique_lock lock(shard.mutex);
  const std::list<CacheWaiter*> all = take_waiting(shard, key, false);
  lock.unlock();
  for (CacheWaiter* waiter : all) waiter->tell({CacheVerdict::Kind::kAnswer, answer});
}

void ResponseCache::end_flight(const CacheKey& key, FlightEnd end) {
  Shard& shard = shard_of(key);
  std::unique_lock lock(shard.mutex);
  assert(shard.flights.contains(key));
  bool goes_on = end != FlightEnd::kUnshareable;
  if (end == FlightEnd::kFailed) goes_on = ++shard.flights[key].failures < kFailuresMax;
  const std::list<CacheWaiter*> told = take_waiting(shard, key, goes_on);
  lock.unlock();
  const auto kind = goes_on ? CacheVerdict::Kind::kLead : CacheVerdict::Kind::kAlone;
  for (CacheWaiter* waiter : told) waiter->tell({kind, nullptr});
}

bool ResponseCache::reserve(std::uint64_t bytes) {
  if (reserved_bytes_.fetch_add(bytes) + bytes <= bytes_max_.load()) return true;
  give_back(bytes);
  return false;
}

ResponseCache::Size ResponseCache::clear() {
  Size gone;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    gone.answers += shard.entries.size();
    gone.bytes += shard.bytes;
    while (!shard.entries.empty()) drop(shard, shard.entries.begin());
  }
  return gone;
}

}  // namespace backplane
