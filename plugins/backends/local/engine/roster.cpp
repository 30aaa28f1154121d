// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/roster.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "plugins/backends/local/engine/scheduler.hpp"

namespace backplane::local {

void Roster::set_pool(std::size_t pages) {
  assert(pool_.used() == 0);
  pool_ = PagePool(pages);
}

void Roster::insert(List& list, std::unique_ptr<Generation> generation) {
  const auto after =
      std::upper_bound(list.begin(), list.end(), generation,
                       [](const auto& one, const auto& other) { return one->precedes(*other); });
  list.insert(after, std::move(generation));
}

std::unique_ptr<Generation> Roster::extract(List& list, const Generation* generation) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& each) { return each.get() == generation; });
  assert(found != list.end());
  std::unique_ptr<Generation> taken = std::move(*found);
  list.erase(found);
  return taken;
}

Generation* Roster::find(const List& list, RequestId id) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& each) { return each->id() == id; });
  return found == list.end() ? nullptr : found->get();
}

void Roster::add(std::unique_ptr<Generation> generation) {
  insert(waiting_, std::move(generation));
}

std::unique_ptr<Generation> Roster::remove(RequestId id) {
  for (List* list : {&running_, &waiting_}) {
    if (Generation* const found = find(*list, id); found != nullptr) {
      found->release_pages(pool_);
      return extract(*list, found);
    }
  }
  return nullptr;
}

std::vector<std::unique_ptr<Generation>> Roster::remove_all() {
  List all = std::move(running_);
  for (const auto& generation : all) generation->release_pages(pool_);
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(all));
  running_.clear();
  waiting_.clear();
  return all;
}

void Roster::set_paused(RequestId id, bool paused) {
  for (const List* list : {&running_, &waiting_}) {
    if (Generation* const found = find(*list, id); found != nullptr) found->set_paused(paused);
  }
}

bool Roster::has_work() const {
  const auto works = [](const auto& generation) { return !generation->paused(); };
  return std::any_of(running_.begin(), running_.end(), works) ||
         std::any_of(waiting_.begin(), waiting_.end(), works);
}

std::size_t Roster::streams() const {
  return static_cast<std::size_t>(
      std::count_if(running_.begin(), running_.end(), [](const auto& generation) {
        return !generation->paused() && generation->prompt_left() == 0;
      }));
}

std::size_t Roster::prompts() const {
  const auto is_prompt = [](const auto& generation) {
    return !generation->paused() && generation->prompt_left() > 0;
  };
  return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(), is_prompt) +
                                  std::count_if(waiting_.begin(), waiting_.end(), is_prompt));
}

std::size_t Roster::fresh() const {
  return static_cast<std::size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [](const auto& generation) { return !generation->begun(); }));
}

void Roster::admit() {
  for (;;) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const auto& each) { return !each->paused(); });
    if (next == waiting_.end()) return;
    Generation& generation = **next;
    if (!make_place(generation)) return;
    insert(running_, extract(waiting_, &generation));
  }
}

// Preempting puts others among the waiting ones, so no position in the list is kept over it.
bool Roster::make_place(Generation& next) {
  while (running_.size() >= places_) {
    Generation* const victim = victim_for(next);
    if (victim == nullptr) return false;
    preempt(victim);
  }
  return make_room(next);
}

// Room for all of its tokens, beside what the others need for theirs: who comes in shall not be
// thrown out at once. Alone it always fits.
bool Roster::make_room(Generation& next) {
  take_prefix(next);
  for (;;) {
    std::size_t needed = next.pages_to_grow();
    for (const auto& each : running_) needed += each->pages_to_grow();
    if (needed <= pool_.available() || running_.empty()) return true;
    Generation* const victim = victim_for(next);
    if (victim == nullptr) break;
    preempt(victim);
  }
  next.release_pages(pool_);
  return false;
}

Generation* Roster::victim_for(const Generation& next) const {
  const auto paused = std::find_if(running_.rbegin(), running_.rend(),
                                   [](const auto& each) { return each->paused(); });
  if (paused != running_.rend()) return paused->get();
  if (running_.empty()) return nullptr;
  Generation* const last = running_.back().get();
  return last->request().priority > next.request().priority ? last : nullptr;
}

void Roster::preempt(Generation* victim) {
  victim->release_pages(pool_);
  insert(waiting_, extract(running_, victim));
  if (meters_ != nullptr) meters_->on_preemption();
}

void Roster::take_prefix(Generation& generation) {
  if (!reuse_prefixes_) return;
  const std::size_t spared = generation.take_prefix(pool_);
  if (spared > 0 && meters_ != nullptr) meters_->on_prefix_hit(spared);
}

// Who would only compute the page that another before it computes in this step waits for that one.
std::vector<Generation*> Roster::candidates() {
  std::vector<Generation*> found;
  std::unordered_set<std::uint64_t> under_way;
  for (const auto& generation : running_) {
    if (generation->paused()) continue;
    if (reuse_prefixes_ && generation->prompt_left() > 0) {
      take_prefix(*generation);
      const std::uint64_t page = generation->next_page_hash();
      const bool is_first = page == 0 || under_way.insert(page).second;
      if (!is_first && generation->at_page_start()) continue;
    }
    found.push_back(generation.get());
  }
  return found;
}

std::vector<Grant> Roster::plan(std::size_t budget) {
  const std::vector<Generation*> all = candidates();
  std::vector<Runnable> runnables;
  for (const Generation* each : all) {
    runnables.push_back({each->prompt_left(), each->request().priority});
  }
  const std::vector<std::size_t> counts = plan_step(runnables, budget);
  std::vector<Grant> grants;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (counts[i] == 0 || find(running_, all[i]->id()) == nullptr) continue;
    if (grow(*all[i], counts[i])) grants.push_back({all[i], counts[i]});
  }
  return grants;
}

// False where it is preempted itself. Whoever is preempted comes after it and has no grant yet, or
// is paused and gets none.
bool Roster::grow(Generation& generation, std::size_t tokens) {
  while (generation.pages_lacking(tokens) > pool_.available()) {
    const auto paused = std::find_if(running_.rbegin(), running_.rend(),
                                     [](const auto& each) { return each->paused(); });
    Generation* const victim = paused != running_.rend() ? paused->get() : running_.back().get();
    preempt(victim);
    if (victim == &generation) return false;
  }
  while (generation.pages_lacking(tokens) > 0) generation.add_page(pool_.take());
  return true;
}

}  // namespace backplane::local
