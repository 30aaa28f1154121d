// SPDX-License-Identifier: Apache-2.0
// A payment that decides what it is told to, when and on which thread it is told to, and keeps the
// books: every ALLOW is to be settled or released, once.
#pragma once

#include "tests/runtime/pipeline/scripted_backend.hpp"

#include <backplane/payment.h>

namespace backplane::test {

struct Decision {
  std::uint32_t verdict = BP_VERDICT_ALLOW;
  When when = When::kNow;
  std::uint64_t delay_ms = 0;  // kAfter
  std::string message;         // of a refusal; empty: no error is given
  std::uint32_t http_status = 402;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool authorize_fails = false;
  bool decides_all_the_same = false;  // at once, and then authorize fails
  bool decides_twice = false;
};

class ScriptedPayment {
 public:
  ScriptedPayment(std::string name, VirtualLoops& loops);
  ~ScriptedPayment();
  ScriptedPayment(const ScriptedPayment&) = delete;
  ScriptedPayment& operator=(const ScriptedPayment&) = delete;

  const std::string& name() const { return name_; }
  static const bp_payment* table();

  std::deque<Decision> decisions;  // the last one serves all that follow; none: ALLOW

  int asked = 0;
  int allowed = 0;
  int settled = 0;
  int released = 0;
  int open() const { return allowed - settled - released; }
  std::int64_t last_amount_nano_usd = -1;
  std::pair<std::uint64_t, std::uint64_t> last_tokens;
  std::int64_t last_amount_max_nano_usd = -1;
  std::map<std::string, std::string> last_metadata;
  std::string last_request_id;

 private:
  struct Question;
  static std::uint32_t authorize(void* self, const bp_charge* charge, const bp_decision_sink* sink,
                                 bp_error* error);
  void decide(const Question& question);
  void close(std::uint64_t hold, std::string_view request_id);

  const std::string name_;
  VirtualLoops& loops_;
  bool inside_ = false;  // authorize is on the stack
  std::uint64_t next_hold_ = 100;
  std::map<std::uint64_t, std::string> holds_;
};

}  // namespace backplane::test
