// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/settlement.hpp"

#include "runtime/pipeline/plugin_error.hpp"

#include <backplane/plugin.hpp>

namespace backplane {
namespace {

Refusal refusal_of(const bp_decision& decision) {
  Refusal refusal;
  refusal.error = decision.error != nullptr
                      ? read_error(*decision.error)
                      : Error{Code::kPermissionDenied, "the payment was refused", {}, 402, 0};
  for (std::uint64_t i = 0; i < decision.header_count; ++i) {
    refusal.headers.emplace_back(view(decision.headers[i].name), view(decision.headers[i].value));
  }
  refusal.content_type = view(decision.content_type);
  refusal.body = view(decision.body);
  return refusal;
}

// One of those that a payment has not answered.
class Undecided {
 public:
  explicit Undecided(std::atomic<std::uint64_t>* count) : count_(count) {
    if (count_ != nullptr) count_->fetch_add(1);
  }
  ~Undecided() {
    if (count_ != nullptr) count_->fetch_sub(1);
  }
  Undecided(const Undecided&) = delete;
  Undecided& operator=(const Undecided&) = delete;

 private:
  std::atomic<std::uint64_t>* const count_;
};

}  // namespace

// One question to one plugin. The plugin may answer on any thread, long after the call has gone.
struct Settlement::Pending {
  const Undecided counted;
  Settlement* owner;
  const bp_payment* const payment;  // it outlives the list that it stood in
  void* const payment_self;
  const std::size_t index;
  const bp_loop_service& loops;
  bp_loop* const loop;
  const std::string request_id;
  std::uint32_t verdict = BP_VERDICT_DENY;
  std::uint64_t hold = 0;
  Refusal refusal{};
  std::atomic<bool> decided{false};
  bool asking = true;     // authorize is on the stack
  bool answered = false;  // ... and has decided on the loop

  static void decide(void* context, const bp_decision* decision) {
    auto* self = static_cast<Pending*>(context);
    if (self->decided.exchange(true)) return;
    self->verdict = decision->verdict;
    self->hold = decision->hold;
    if (decision->verdict != BP_VERDICT_ALLOW) self->refusal = refusal_of(*decision);
    if (self->loops.is_current(self->loop) == 0) {
      self->loops.post(self->loop, &arrive, self);
    } else if (self->asking) {
      self->answered = true;
    } else {
      arrive(self);
    }
  }
  static void arrive(void* context) {
    const std::unique_ptr<Pending> self(static_cast<Pending*>(context));
    if (self->owner != nullptr) {
      self->owner->pending_ = nullptr;
      self->owner->take(self->index, self->verdict, self->hold, std::move(self->refusal));
    } else if (self->verdict == BP_VERDICT_ALLOW) {
      self->payment->release(self->payment_self, str(self->request_id), self->hold);
    }
  }
  // After a failed authorize, which ought not to decide. Where it did, what it held is released.
  static void withdraw(Pending* self) {
    self->owner = nullptr;
    if (!self->decided.exchange(true)) {
      delete self;
    } else if (self->answered) {
      arrive(self);
    }
  }
};

Settlement::Settlement(const std::vector<PaymentInstance>& payments, const bp_loop_service& loops,
                       bp_loop* loop)
    : payments_(payments), loops_(loops), loop_(loop) {}

Settlement::~Settlement() {
  if (pending_ != nullptr) pending_->owner = nullptr;
  release();
}

void Settlement::authorize(const bp_charge& charge, std::function<void(const Refusal*)> decided) {
  decided_ = std::move(decided);
  if (payments_.empty()) return finish(nullptr);
  charge_ = charge;
  request_id_ = view(charge.request_id);
  operation_ = view(charge.operation);
  model_ = view(charge.model);
  for (std::uint64_t i = 0; i < charge.metadata_count; ++i) {
    metadata_.emplace_back(view(charge.metadata[i].name), view(charge.metadata[i].value));
  }
  for (const auto& [name, value] : metadata_) metadata_pairs_.push_back({str(name), str(value)});
  charge_.request_id = str(request_id_);
  charge_.operation = str(operation_);
  charge_.model = str(model_);
  charge_.metadata = metadata_pairs_.data();
  ask(0);
}

void Settlement::ask(std::size_t index) {
  if (index == payments_.size()) return finish(&refusal_);
  const PaymentInstance& payment = payments_[index];
  auto* const pending = new Pending{Undecided(payment.undecided),
                                    this,
                                    payment.table,
                                    payment.self,
                                    index,
                                    loops_,
                                    loop_,
                                    request_id_};
  const bp_decision_sink sink{sizeof(bp_decision_sink), 0, pending, &Pending::decide};
  pending_ = pending;
  bp_error error{};
  const std::uint32_t code = payment.table->authorize(payment.self, &charge_, &sink, &error);
  if (code == BP_CODE_OK) {
    // What follows may settle, and a plugin is not entered from inside its own authorize.
    pending->asking = false;
    if (pending->answered) Pending::arrive(pending);
    return;
  }
  pending_ = nullptr;
  Pending::withdraw(pending);
  Refusal refusal;
  refusal.error = read_failure(code, error);
  take(index, BP_VERDICT_DENY, 0, std::move(refusal));
}

void Settlement::take(std::size_t index, std::uint32_t verdict, std::uint64_t hold,
                      Refusal refusal) {
  if (verdict == BP_VERDICT_ALLOW) {
    payer_ = &payments_[index];
    hold_ = hold;
    return finish(nullptr);
  }
  refuse(std::move(refusal), verdict == BP_VERDICT_CHALLENGE);
  ask(index + 1);
}

// A challenge says how to pay, so it is told rather than a refusal; else the first one is.
void Settlement::refuse(Refusal refusal, bool challenge) {
  if (has_refusal_ && (challenged_ || !challenge)) return;
  has_refusal_ = true;
  challenged_ = challenge;
  refusal_ = std::move(refusal);
}

void Settlement::finish(const Refusal* refusal) {
  const auto decided = std::move(decided_);
  decided(refusal);
}

void Settlement::settle(const bp_usage& usage, std::int64_t amount_nano_usd) {
  const PaymentInstance* payer = std::exchange(payer_, nullptr);
  if (payer == nullptr) return;
  const bp_settlement settlement{sizeof(bp_settlement), 0, str(request_id_), hold_, &usage,
                                 amount_nano_usd};
  payer->table->settle(payer->self, &settlement);
}

void Settlement::release() {
  const PaymentInstance* payer = std::exchange(payer_, nullptr);
  if (payer != nullptr) payer->table->release(payer->self, str(request_id_), hold_);
}

}  // namespace backplane
