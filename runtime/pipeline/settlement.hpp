// SPDX-License-Identifier: Apache-2.0
// The payment side of one call: asks the deployment's payments in order who pays, then settles or
// releases what was held, exactly once, whatever happens. Lives on the call's loop.
#pragma once

#include <backplane/loop.h>
#include <backplane/payment.h>

#include <atomic>
#include <backplane/result.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace backplane {

struct PaymentInstance {
  std::string name;
  const bp_payment* table = nullptr;
  void* self = nullptr;
  std::atomic<std::uint64_t>* undecided = nullptr;  // questions it has not answered; null: no count
};

// A refusal, with what a client needs to pay.
struct Refusal {
  Error error;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type;
  std::string body;
};

class Settlement {
 public:
  Settlement(const std::vector<PaymentInstance>& payments, const bp_loop_service& loops,
             bp_loop* loop);
  ~Settlement();
  Settlement(const Settlement&) = delete;
  Settlement& operator=(const Settlement&) = delete;

  // Calls `decided` once, on the loop, with null when the call may go on; possibly at once. After
  // abandon or the destructor it is never called, and a late ALLOW is released.
  void authorize(const bp_charge& charge, std::function<void(const Refusal*)> decided);

  // Ends what authorize began: the first of the two wins, the rest is without effect.
  void settle(const bp_usage& usage, std::int64_t amount_nano_usd);
  void release();

 private:
  struct Pending;  // outlives this while a plugin has not decided
  void ask(std::size_t index);
  void take(std::size_t index, std::uint32_t verdict, std::uint64_t hold, Refusal refusal);
  void refuse(Refusal refusal, bool challenge);
  void finish(const Refusal* refusal);

  const std::vector<PaymentInstance>& payments_;
  const bp_loop_service& loops_;
  bp_loop* const loop_;
  std::function<void(const Refusal*)> decided_;
  bp_charge charge_{};
  std::string request_id_;
  std::string operation_;
  std::string model_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::vector<bp_pair> metadata_pairs_;
  Pending* pending_ = nullptr;
  Refusal refusal_;
  bool has_refusal_ = false;
  bool challenged_ = false;
  const PaymentInstance* payer_ = nullptr;  // who allowed and is owed an end
  std::uint64_t hold_ = 0;
};

}  // namespace backplane
