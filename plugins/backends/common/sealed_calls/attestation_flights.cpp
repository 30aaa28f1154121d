// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/attestation_flights.hpp"

#include <algorithm>
#include <utility>

namespace backplane::sealed_calls {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

AttestationFlights::Ticket& AttestationFlights::Ticket::operator=(Ticket&& other) noexcept {
  leave();
  flights_ = other.flights_;
  waiter_ = std::move(other.waiter_);
  model_ = std::move(other.model_);
  return *this;
}

void AttestationFlights::Ticket::leave() {
  const std::shared_ptr<Waiter> waiter = std::exchange(waiter_, nullptr);
  if (waiter == nullptr) return;
  waiter->told = nullptr;
  flights_->leave(waiter, model_);
}

Result<AttestationFlights::Ticket> AttestationFlights::join(const Question& question,
                                                            std::string model, bp_loop* loop,
                                                            Told told) {
  Ticket ticket;
  ticket.flights_ = this;
  ticket.model_ = model;
  ticket.waiter_ = std::make_shared<Waiter>(Waiter{loop, std::move(told)});
  std::shared_ptr<Flight> flight;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Flight>& place = flights_[model];
    const bool is_under_way = place != nullptr;
    if (!is_under_way) place = std::make_shared<Flight>(Flight{model, loop, nullptr, {}, false});
    place->waiters.push_back(ticket.waiter_);
    if (is_under_way) return ticket;
    flight = place;
  }
  const Status started = start(question, flight);
  if (started) return ticket;
  ticket.waiter_ = nullptr;
  return started.error();
}

void AttestationFlights::refresh(const Question& question, std::string model, bp_loop* loop) {
  const bp_clock& clock = *question.services.clock;
  const std::int64_t now_s = clock.monotonic_ns(clock.context) / kSecondNs;
  std::shared_ptr<Flight> flight;
  {
    const std::lock_guard lock(mutex_);
    if (flights_.find(model) != flights_.end()) return;
    if (refreshed_s_.size() >= kModelsMax) refreshed_s_.clear();
    const auto [last, is_first] = refreshed_s_.try_emplace(model, now_s);
    if (!is_first && now_s - last->second < kRefreshPauseS) return;
    last->second = now_s;
    std::shared_ptr<Flight>& place = flights_[model];
    place = std::make_shared<Flight>(Flight{std::move(model), loop, nullptr, {}, true});
    flight = place;
  }
  static_cast<void>(start(question, flight));  // who needs it asks again
}

// On the flight's loop. Others may have joined meanwhile: what cannot be asked is told to them.
Status AttestationFlights::start(const Question& question, const std::shared_ptr<Flight>& flight) {
  const bp_loop_service& loops = *question.services.loop;
  flight->round = std::make_unique<AttestationRound>(question.services, question.options,
                                                     question.keys, flight->loop);
  const Status started =
      flight->round->start(flight->model, question.headers,
                           [this, &loops, flight](const std::shared_ptr<const ModelProof>& proof) {
                             land(loops, flight, proof);
                           });
  if (started) return ok();
  remove(flight);
  std::vector<std::shared_ptr<Waiter>> others = std::exchange(flight->waiters, {});
  if (!others.empty()) others.erase(others.begin());  // is told by the failure
  flight->waiters = std::move(others);
  land(loops, flight,
       std::make_shared<const ModelProof>(no_proof(started.error(), "absent", {}, 0)));
  return started.error();
}

// On the flight's loop; the last of a round.
void AttestationFlights::land(const bp_loop_service& loops, const std::shared_ptr<Flight>& held,
                              const std::shared_ptr<const ModelProof>& proof) {
  const std::shared_ptr<Flight> flight = held;  // outlives the round, whose function holds it
  remove(flight);
  struct Task {
    std::shared_ptr<Waiter> waiter;
    std::shared_ptr<const ModelProof> proof;
  };
  for (const std::shared_ptr<Waiter>& waiter : flight->waiters) {
    if (waiter->loop == flight->loop) {
      if (const Told told = std::exchange(waiter->told, nullptr)) told(proof);
      continue;
    }
    loops.post(
        waiter->loop,
        [](void* argument) {
          const std::unique_ptr<Task> task(static_cast<Task*>(argument));
          if (const Told told = std::exchange(task->waiter->told, nullptr)) told(task->proof);
        },
        new Task{waiter, proof});
  }
}

void AttestationFlights::remove(const std::shared_ptr<Flight>& flight) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(flight->model);
  if (found != flights_.end() && found->second == flight) flights_.erase(found);
  changed_.notify_all();
}

// A question that nobody waits for any more ends, where that can be done at once.
void AttestationFlights::leave(const std::shared_ptr<Waiter>& waiter, const std::string& model) {
  std::shared_ptr<Flight> flight;
  {
    const std::lock_guard lock(mutex_);
    const auto found = flights_.find(model);
    if (found == flights_.end()) return;
    auto& waiters = found->second->waiters;
    waiters.erase(std::remove(waiters.begin(), waiters.end(), waiter), waiters.end());
    if (!waiters.empty() || found->second->is_refresh || found->second->loop != waiter->loop)
      return;
    flight = found->second;
    flights_.erase(found);
    changed_.notify_all();
  }
  flight->round.reset();
}

void AttestationFlights::stop(const dialect::Services& services) {
  struct Task {
    AttestationFlights* self;
    std::shared_ptr<Flight> flight;
  };
  const auto end = [](void* argument) {
    const std::unique_ptr<Task> task(static_cast<Task*>(argument));
    task->flight->round.reset();
    task->self->remove(task->flight);
    const std::lock_guard lock(task->self->mutex_);
    --task->self->ending_;
    task->self->changed_.notify_all();
  };
  std::vector<std::shared_ptr<Flight>> running;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [model, flight] : flights_) running.push_back(flight);
    ending_ = running.size();
  }
  for (const std::shared_ptr<Flight>& flight : running) {
    auto* task = new Task{this, flight};
    if (services.loop->is_current(flight->loop) != 0) {
      end(task);
    } else {
      services.loop->post(flight->loop, end, task);
    }
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return flights_.empty() && ending_ == 0; });
}

}  // namespace backplane::sealed_calls
