// SPDX-License-Identifier: Apache-2.0
#include "common/call_error.hpp"

#include <utility>

namespace backplane::dialect {

Error bad_answer(Code code, std::string message) {
  return {code, std::move(message), "UPSTREAM_ERROR", 502, 0};
}

Error cut_off() {
  return bad_answer(Code::kDataLoss, "the provider's response ended before it was complete");
}

Error given_up() {
  return bad_answer(Code::kUnavailable, "the provider gave its answer up");
}

Error cancelled() {
  return {Code::kCancelled, "the call was cancelled", {}, 0, 0};
}

Error deadline_passed() {
  return {Code::kDeadlineExceeded, "the call's deadline has passed", {}, 504, 0};
}

bool is_worth_logging(Code code) {
  return code != Code::kCancelled && code != Code::kInvalidArgument && code != Code::kNotFound;
}

Error transport_error(const bp_error& from, bool past_deadline) {
  const std::string message = "the call to the provider failed: " + std::string(from.message);
  switch (from.code) {
    case BP_CODE_DEADLINE_EXCEEDED:
      if (past_deadline) return deadline_passed();
      return {Code::kUnavailable, message, "UPSTREAM_ERROR", 504, 0};
    case BP_CODE_UNAVAILABLE:
      return bad_answer(Code::kUnavailable, message);
    case BP_CODE_DATA_LOSS:
      return cut_off();
    case BP_CODE_ABORTED:  // by whoever sends the request's body
      return cancelled();
    default:
      return bad_answer(Code::kInternal, message);
  }
}

}  // namespace backplane::dialect
