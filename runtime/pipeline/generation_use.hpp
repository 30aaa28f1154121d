// SPDX-License-Identifier: Apache-2.0
// Who still needs a generation: counted on each loop by plain integers, so that a call pays for it
// no lock and no atomic.
#pragma once

#include <cassert>
#include <cstdint>
#include <utility>

namespace backplane {

class Generation;

// The users of one generation on one loop; the loop itself is one while the generation is current.
// All [loop].
class LoopUsers {
 public:
  explicit LoopUsers(Generation& generation) : generation_(generation) {}
  LoopUsers(const LoopUsers&) = delete;
  LoopUsers& operator=(const LoopUsers&) = delete;

  void enter() { ++count_; }
  // After the last one the generation may be gone.
  void leave() {
    assert(count_ > 0);
    if (--count_ == 0) none_left();
  }

 private:
  void none_left();

  Generation& generation_;
  std::uint64_t count_ = 0;
};

// One of them. [loop]
class GenerationUse {
 public:
  explicit GenerationUse(LoopUsers& users) : users_(&users) { users.enter(); }
  ~GenerationUse() { end(); }
  GenerationUse(const GenerationUse&) = delete;
  GenerationUse& operator=(const GenerationUse&) = delete;

  LoopUsers& users() const { return *users_; }
  // Idempotent.
  void end() {
    if (LoopUsers* const users = std::exchange(users_, nullptr)) users->leave();
  }

 private:
  LoopUsers* users_;
};

}  // namespace backplane
