// SPDX-License-Identifier: Apache-2.0
// The questions for attestations that are under way: one for each model, however many calls wait
// for it, on whatever loops.
#pragma once

#include "common/sealed_calls/attestation_round.hpp"

#include <backplane/plugin.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealed_calls {

inline constexpr std::int64_t kRefreshPauseS = 10;

class AttestationFlights {
 public:
  using Told = std::function<void(std::shared_ptr<const ModelProof>)>;

  // What a question needs; all is borrowed until stop.
  struct Question {
    const dialect::Services& services;
    const AttestationOptions& options;
    const std::vector<dialect::Header>& headers;
    AttestedKeys& keys;
  };

 private:
  struct Waiter {
    bp_loop* loop;
    Told told;  // read and cleared on that loop
  };
  struct Flight {
    std::string model;
    bp_loop* loop;
    std::unique_ptr<AttestationRound> round;       // on that loop
    std::vector<std::shared_ptr<Waiter>> waiters;  // guarded by mutex_
    bool is_refresh = false;                       // goes on without waiters
  };

 public:
  // The place of one waiter, of its loop. Without it nothing is told.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { leave(); }
    void leave();

   private:
    friend class AttestationFlights;
    AttestationFlights* flights_ = nullptr;
    std::shared_ptr<Waiter> waiter_;  // shared with the flight
    std::string model_;
  };

  AttestationFlights() = default;
  AttestationFlights(const AttestationFlights&) = delete;
  AttestationFlights& operator=(const AttestationFlights&) = delete;

  // [loop] `told` is called once on this loop, never from inside. Fails when the host refuses the
  // question.
  Result<Ticket> join(const Question& question, std::string model, bp_loop* loop, Told told);
  // [loop] Asks for a proof that will be needed soon. Without effect where one is asked for, or was
  // so less than kRefreshPauseS ago.
  void refresh(const Question& question, std::string model, bp_loop* loop);
  // [control] Nothing is under way once it returns. Waits for the loops, which have to run.
  void stop(const dialect::Services& services);

 private:
  Status start(const Question& question, const std::shared_ptr<Flight>& flight);
  void land(const bp_loop_service& loops, const std::shared_ptr<Flight>& flight,
            const std::shared_ptr<const ModelProof>& proof);
  void leave(const std::shared_ptr<Waiter>& waiter, const std::string& model);
  void remove(const std::shared_ptr<Flight>& flight);

  std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> refreshed_s_;  // on the monotonic clock
  std::condition_variable changed_;
  std::size_t ending_ = 0;                                               // tasks of stop
  std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights_;  // shared with their tasks
};

}  // namespace backplane::sealed_calls
