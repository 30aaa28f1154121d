// SPDX-License-Identifier: Apache-2.0
// Whole answers by the requests that they answer, the least recently used of which go when there is
// no room, and the flights of those requests: one call that is on its way to an answer, and the
// others that wait for it. One for the life of a runtime, in shards of one short lock each; calls
// of models that have no cache never come here. All [any-thread] but the constructor.
#pragma once

#include "runtime/pipeline/cache/cache_key.hpp"
#include "runtime/pipeline/cache/cached_answer.hpp"

#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace backplane {

// Shared by the cache and the calls that read it out.
using SharedAnswer = std::shared_ptr<const CachedAnswer>;

// What becomes of a call that has waited.
struct CacheVerdict {
  enum class Kind : std::uint8_t {
    kAnswer,  // here it is
    kLead,    // the one before did not bring an answer: this call tries, others wait for it
    kAlone,   // it tries for itself
  };
  Kind kind = Kind::kAlone;
  SharedAnswer answer = {};
};

// A call in a flight that another one leads.
class CacheWaiter {
 public:
  virtual ~CacheWaiter() = default;
  // [any-thread] Once, unless it has left before; no lock is held.
  virtual void tell(CacheVerdict verdict) = 0;

 private:
  friend class ResponseCache;
  std::list<CacheWaiter*>::iterator place_;  // as long as it waits
  bool waits_ = false;
};

// How a leader ended.
enum class FlightEnd : std::uint8_t {
  kLeft,        // nobody knows whether there would have been an answer: the next one leads
  kFailed,      // likewise; after the second failure in a row all try for themselves
  kUnshareable  // the answer is too long: all try for themselves
};

class ResponseCache {
 public:
  static constexpr std::size_t kShards = 16;
  struct Bounds {
    std::uint64_t bytes_max = std::uint64_t{64} * 1024 * 1024;
    std::uint64_t answer_bytes_max = std::uint64_t{1024} * 1024;  // a shard's share at most
  };

  void set_bounds(const Bounds& bounds);
  std::uint64_t answer_bytes_max() const;

  // Null: there is none of at most that age, exclusive.
  SharedAnswer find(const CacheKey& key, std::int64_t now_ns, std::int64_t age_max_ns);

  struct Entrance {
    SharedAnswer answer;  // one has come meanwhile
    bool leads = false;   // or else: this call brings it; false: `waiter` hears of it
  };
  Entrance enter(const CacheKey& key, std::int64_t now_ns, std::int64_t age_max_ns,
                 CacheWaiter& waiter);
  // False: a verdict is on its way to the waiter.
  bool leave(const CacheKey& key, CacheWaiter& waiter);

  void keep(const CacheKey& key, SharedAnswer answer);
  // By the one that leads, who is it no more; `keep` comes before.
  void land(const CacheKey& key, const SharedAnswer& answer);
  void end_flight(const CacheKey& key, FlightEnd end);

  // What answers under way may hold, all together as much again as those that are kept. False:
  // there is no room.
  bool reserve(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { reserved_bytes_.fetch_sub(bytes); }

  struct Size {
    std::uint64_t answers = 0;
    std::uint64_t bytes = 0;
  };
  // Tells what was there. Flights go on.
  Size clear();
  Size size() const { return {answers_.load(), bytes_.load()}; }
  std::uint64_t evictions() const { return evictions_.load(); }
  std::uint64_t flights() const { return flights_.load(); }
  std::uint64_t reserved_bytes() const { return reserved_bytes_.load(); }

 private:
  struct Entry {
    CacheKey key;
    SharedAnswer answer;
    std::uint64_t bytes;
  };
  struct Flight {
    std::list<CacheWaiter*> waiting;
    std::uint32_t failures = 0;
  };
  struct Shard {
    std::mutex mutex;          // guards all that follows
    std::list<Entry> entries;  // the latest used first
    std::unordered_map<CacheKey, std::list<Entry>::iterator, CacheKey::Hash> by_key;
    std::unordered_map<CacheKey, Flight, CacheKey::Hash> flights;
    std::uint64_t bytes = 0;
  };

  Shard& shard_of(const CacheKey& key) { return shards_[key.digest[0] % kShards]; }
  SharedAnswer find_in(Shard& shard, const CacheKey& key, std::int64_t now_ns,
                       std::int64_t age_max_ns);
  void drop(Shard& shard, std::list<Entry>::iterator entry);
  void make_room(Shard& shard, std::uint64_t bytes_max);
  // All that wait, or the first of them and the flight goes on.
  std::list<CacheWaiter*> take_waiting(Shard& shard, const CacheKey& key, bool only_first);

  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> bytes_max_{Bounds().bytes_max};
  std::atomic<std::uint64_t> answer_bytes_max_{Bounds().answer_bytes_max};
  std::atomic<std::uint64_t> reserved_bytes_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> evictions_{0};
  std::atomic<std::uint64_t> flights_{0};
};

}  // namespace backplane
