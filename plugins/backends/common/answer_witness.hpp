// SPDX-License-Identifier: Apache-2.0
// What sees the exact bytes of a call, both ways, and has the last word on an answer that is whole:
// for answers that their provider signs. One serves one call. [loop]
#pragma once

#include <backplane/abi.h>
#include <backplane/result.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace backplane::dialect {

class AnswerWitness {
 public:
  struct Conclusion {
    Status status = ok();  // an error is the call's, in the place of its end
    std::string receipt;   // what the event RECEIPT says; empty: there is none
  };
  // Called once, perhaps from inside conclude, and not after the destructor; it may destroy the
  // witness.
  using Done = std::function<void(Conclusion)>;

  AnswerWitness() = default;
  virtual ~AnswerWitness() = default;
  AnswerWitness(const AnswerWitness&) = delete;
  AnswerWitness& operator=(const AnswerWitness&) = delete;

  // The request's body, all of it.
  virtual void on_request(std::span<const bp_str> pieces) = 0;
  // The next bytes of a response of success, as received, those behind its end included.
  virtual void on_bytes(std::string_view bytes) = 0;
  // What the client is given of it, one after the other.
  virtual void on_document(std::string_view document) = 0;
  // The answer is whole, and all of its bytes have been seen.
  virtual void conclude(Done done) = 0;
};

}  // namespace backplane::dialect
