// SPDX-License-Identifier: Apache-2.0
// Who waits and who runs, and which pages they have. A request waits until it gets one of the
// places in the batch; it runs until it is over, or preempted: then it gives its pages back, waits
// again, and later computes again what it lost. Nothing of that is heard outside but a pause.
//
// The more urgent go first, of equals the older. Preempted are, whenever another needs the place or
// the pages: the paused; then whoever is less urgent; and for pages, the youngest of equals. The
// first of all is never preempted while it runs, so that there is always somebody who gets done.
//
// Threads: the engine's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "plugins/backends/local/engine/generation.hpp"
#include "plugins/backends/local/engine/meters.hpp"
#include "plugins/backends/local/engine/page_pool.hpp"

namespace backplane::local {

struct Grant {
  Generation* generation = nullptr;
  std::size_t tokens = 0;  // to compute in this step; the pages are there
};

class Roster {
 public:
  // `meters`, which may be null, outlives the roster.
  Roster(std::size_t places, bool reuse_prefixes, EngineMeters* meters)
      : places_(places), reuse_prefixes_(reuse_prefixes), meters_(meters) {}

  // Starts with an empty pool; nobody may have pages.
  void set_pool(std::size_t pages);
  PagePool& pool() { return pool_; }

  void add(std::unique_ptr<Generation> generation);
  // Null for ids that are not here.
  std::unique_ptr<Generation> remove(RequestId id);
  std::vector<std::unique_ptr<Generation>> remove_all();
  void set_paused(RequestId id, bool paused);

  bool empty() const { return waiting_.empty() && running_.empty(); }
  // Somebody is here who is not paused.
  bool has_work() const;
  // Of those that run and are not paused: who generates.
  std::size_t streams() const;
  // Of those that are not paused, running or waiting: whose prompt is not all computed.
  std::size_t prompts() const;
  // Of those that wait: for whom nothing was computed yet.
  std::size_t fresh() const;
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t running() const { return running_.size(); }

  // Gives places to those that wait, as long as there are any.
  void admit();
  // What the next step computes, `budget` tokens at most where the streams are not more. Empty only
  // when there is no work.
  std::vector<Grant> plan(std::size_t budget);

 private:
  using List = std::vector<std::unique_ptr<Generation>>;
  static void insert(List& list, std::unique_ptr<Generation> generation);
  static std::unique_ptr<Generation> extract(List& list, const Generation* generation);
  static Generation* find(const List& list, RequestId id);
  bool make_place(Generation& next);
  bool make_room(Generation& next);
  bool grow(Generation& generation, std::size_t tokens);
  Generation* victim_for(const Generation& next) const;
  void preempt(Generation* victim);
  std::vector<Generation*> candidates();
  void take_prefix(Generation& generation);

  const std::size_t places_;
  const bool reuse_prefixes_;
  EngineMeters* const meters_;
  PagePool pool_{0};
  List waiting_;  // both in the order of precedes()
  List running_;
};

}  // namespace backplane::local
