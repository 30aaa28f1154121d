// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/pipeline/scripted_payment.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <memory>

namespace backplane::test {

struct ScriptedPayment::Question {
  ScriptedPayment& owner;
  Decision decision;
  bp_decision_sink sink;
  std::string request_id;

  static void answer(void* self) {
    const std::unique_ptr<Question> question(static_cast<Question*>(self));
    question->owner.decide(*question);
  }
};

ScriptedPayment::ScriptedPayment(std::string name, VirtualLoops& loops)
    : name_(std::move(name)), loops_(loops) {}

ScriptedPayment::~ScriptedPayment() {
  EXPECT_EQ(open(), 0) << name_ << ": holds that were neither settled nor released";
}

const bp_payment* ScriptedPayment::table() {
  static const bp_payment kTable{sizeof(bp_payment),
                                 0,
                                 nullptr,
                                 nullptr,
                                 &authorize,
                                 [](void* self, const bp_settlement* settlement) {
                                   auto& payment = *static_cast<ScriptedPayment*>(self);
                                   EXPECT_EQ(settlement->usage->struct_size, sizeof(bp_usage));
                                   EXPECT_GE(settlement->amount_nano_usd, 0);
                                   payment.last_amount_nano_usd = settlement->amount_nano_usd;
                                   payment.last_tokens = {settlement->usage->prompt_tokens,
                                                          settlement->usage->completion_tokens};
                                   payment.close(settlement->hold, view(settlement->request_id));
                                   ++payment.settled;
                                 },
                                 [](void* self, bp_str request_id, std::uint64_t hold) {
                                   auto& payment = *static_cast<ScriptedPayment*>(self);
                                   payment.close(hold, view(request_id));
                                   ++payment.released;
                                 },
                                 nullptr,
                                 nullptr,
                                 nullptr,
                                 nullptr};
  return &kTable;
}

void ScriptedPayment::close(std::uint64_t hold, std::string_view request_id) {
  EXPECT_FALSE(inside_) << name_ << ": entered from inside its authorize";
  const auto found = holds_.find(hold);
  if (found == holds_.end()) {
    ADD_FAILURE() << name_ << ": hold " << hold << " ended twice or never given";
    return;
  }
  EXPECT_EQ(found->second, request_id);
  holds_.erase(found);
}

std::uint32_t ScriptedPayment::authorize(void* self, const bp_charge* charge,
                                         const bp_decision_sink* sink, bp_error* error) {
  auto& payment = *static_cast<ScriptedPayment*>(self);
  ++payment.asked;
  payment.last_amount_max_nano_usd = charge->amount_max_nano_usd;
  payment.last_request_id = view(charge->request_id);
  payment.last_metadata.clear();
  for (std::uint64_t i = 0; i < charge->metadata_count; ++i) {
    payment.last_metadata.emplace(view(charge->metadata[i].name), view(charge->metadata[i].value));
  }
  if (payment.decisions.empty()) payment.decisions.emplace_back();
  const Decision decision = payment.decisions.front();
  if (payment.decisions.size() > 1) payment.decisions.pop_front();
  if (decision.authorize_fails && !decision.decides_all_the_same) {
    return report({Code::kUnavailable, "the payment is down", {}, 503, 0}, error);
  }
  auto question = std::unique_ptr<Question>(
      new Question{payment, decision, *sink, std::string(view(charge->request_id))});
  const bp_loop_service& loops = payment.loops_.service();
  payment.inside_ = true;
  if (decision.when == When::kNow || decision.decides_all_the_same) {
    Question::answer(question.release());
  } else if (decision.when == When::kAfter) {
    loops.post_after(charge->loop, decision.delay_ms, &Question::answer, question.release());
  } else {
    loops.post(charge->loop, &Question::answer, question.release());
  }
  payment.inside_ = false;
  if (decision.authorize_fails) {
    return report({Code::kUnavailable, "the payment is down", {}, 503, 0}, error);
  }
  return BP_CODE_OK;
}

void ScriptedPayment::decide(const Question& question) {
  const Decision& from = question.decision;
  bp_error failure;
  report({Code::kPermissionDenied, from.message, "SCRIPTED", from.http_status, 0}, &failure);
  std::vector<bp_pair> headers;
  for (const auto& [name, value] : from.headers) headers.push_back({str(name), str(value)});
  bp_decision decision{};
  decision.struct_size = sizeof(bp_decision);
  decision.verdict = from.verdict;
  decision.error = from.message.empty() ? nullptr : &failure;
  decision.headers = headers.data();
  decision.header_count = headers.size();
  decision.body = str(from.body);
  decision.content_type = str(from.body.empty() ? "" : "application/json");
  if (from.verdict == BP_VERDICT_ALLOW) {
    decision.hold = next_hold_++;
    holds_.emplace(decision.hold, question.request_id);
    ++allowed;
  }
  const auto tell = [&] {
    question.sink.decide(question.sink.context, &decision);
    if (from.decides_twice) question.sink.decide(question.sink.context, &decision);
  };
  if (from.when == When::kElsewhere) {
    loops_.elsewhere(tell);
  } else {
    tell();
  }
}

}  // namespace backplane::test
