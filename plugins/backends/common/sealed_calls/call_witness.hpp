// SPDX-License-Identifier: Apache-2.0
// What was proven of one call, gathered while it runs: the bytes that were sent and received, the
// signature that the provider makes of them, asked for when the answer is whole, and the receipt.
#pragma once

#include "common/answer_witness.hpp"
#include "common/http_get.hpp"
#include "common/receipts/receipt.hpp"
#include "common/sealed_calls/model_proof.hpp"
#include "common/sealed_calls/seal_settings.hpp"
#include "common/sealing/byte_hash.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealed_calls {

inline constexpr std::size_t kChatIdMaxBytes = 256;
inline constexpr std::uint64_t kSignatureRetryMs = 100;  // and twice as long each time

// What the witnesses of one instance share; outlives them.
struct WitnessOptions {
  Checking attestation = Checking::kOff;
  SignatureOptions signatures;
  std::string signature_url;  // to which /CHAT_ID?model=...&signing_algo=... is added
  dialect::Counter rejected_signatures;
};

// What is witnessed.
struct WitnessedCall {
  std::string_view request_id;
  std::string_view model;
  bool is_signed = true;  // false: an answer of a kind that providers do not sign
};

class CallWitness final : public dialect::AnswerWitness {
 public:
  // All is borrowed for its life but `call` and the proof. `on_other_key`: a signature is of a key
  // that the model has not proven.
  CallWitness(const dialect::Services& services, const WitnessOptions& options,
              const std::vector<dialect::Header>& headers, bp_loop* loop, const WitnessedCall& call,
              std::shared_ptr<const ModelProof> proof, std::function<void()> on_other_key);
  ~CallWitness() override;

  void on_request(std::span<const bp_str> pieces) override;
  void on_bytes(std::string_view bytes) override;
  void on_document(std::string_view document) override;
  void conclude(Done done) override;

 private:
  void ask();
  void take(const Result<dialect::HttpReply>& reply);
  void ask_again(std::string why);
  void judge(std::string_view reply);
  Status check();
  void reject(const Error& why, std::string_view verdict);
  void finish(Status status);
  std::int64_t unix_time_s() const;

  const dialect::Services& services_;
  const WitnessOptions& options_;
  const std::vector<dialect::Header>& headers_;
  bp_loop* const loop_;
  const bool is_signed_;
  const std::shared_ptr<const ModelProof> proof_;  // shared with what is known of the model
  const std::function<void()> on_other_key_;
  receipts::Receipt receipt_;
  sealing::ByteHash request_;
  sealing::ByteHash response_;
  Done done_;
  std::unique_ptr<dialect::HttpGet> get_;
  std::uint64_t timer_ = 0;
  std::uint64_t delay_ms_ = kSignatureRetryMs;
  std::int64_t asked_until_ns_ = 0;
};

}  // namespace backplane::sealed_calls
