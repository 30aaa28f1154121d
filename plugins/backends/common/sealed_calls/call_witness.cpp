// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/call_witness.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "common/receipts/receipt_verifier.hpp"
#include "common/sealed_calls/url_text.hpp"
#include "common/sealing/response_signature.hpp"

namespace backplane::sealed_calls {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

std::string chat_id_of(std::string_view document) {
  simdjson::dom::parser parser;
  std::string_view id;
  if (parser.parse(document.data(), document.size())["id"].get(id) != simdjson::SUCCESS) return {};
  return id.size() <= kChatIdMaxBytes ? std::string(id) : std::string();
}

Error absent(std::string why) {
  return {Code::kDataLoss, "the answer's signature could not be had: " + std::move(why),
          std::string(receipts::reason::kAbsent), 502, 0};
}

}  // namespace

CallWitness::CallWitness(const dialect::Services& services, const WitnessOptions& options,
                         const std::vector<dialect::Header>& headers, bp_loop* loop,
                         const WitnessedCall& call, std::shared_ptr<const ModelProof> proof,
                         std::function<void()> on_other_key)
    : services_(services),
      options_(options),
      headers_(headers),
      loop_(loop),
      is_signed_(call.is_signed),
      proof_(std::move(proof)),
      on_other_key_(std::move(on_other_key)) {
  receipt_.request_id = call.request_id;
  receipt_.model = call.model;
  receipt_.attestation = proof_->facts;
  receipt_.attestation.policy = name_of(options.attestation);
  receipt_.signature.policy = name_of(options.signatures.checking);
  receipt_.signature.verdict = "not_checked";
}

CallWitness::~CallWitness() {
  if (timer_ != 0) services_.loop->cancel(loop_, timer_);
}

void CallWitness::on_request(std::span<const bp_str> pieces) {
  for (const bp_str& piece : pieces) {
    request_.add(view(piece));
    receipt_.request.size += piece.size;
  }
}

void CallWitness::on_bytes(std::string_view bytes) {
  response_.add(bytes);
  receipt_.response.size += bytes.size();
}

void CallWitness::on_document(std::string_view document) {
  if (receipt_.chat_id.empty()) receipt_.chat_id = chat_id_of(document);
}

void CallWitness::conclude(Done done) {
  done_ = std::move(done);
  receipt_.request.sha256 = request_.hex();
  receipt_.response.sha256 = response_.hex();
  if (!is_signed_ || options_.signatures.checking == Checking::kOff) return finish(ok());
  if (proof_->signers.empty()) {
    return reject({Code::kDataLoss, "the model has not proven a key that signs its answers",
                   std::string(receipts::reason::kSignature), 502, 0},
                  "not_checked");
  }
  if (receipt_.chat_id.empty()) return reject(absent("the answer has no id"), "absent");
  const bp_clock& clock = *services_.clock;
  asked_until_ns_ = clock.monotonic_ns(clock.context) +
                    std::int64_t{options_.signatures.timeout_ms} * kMillisecondNs;
  ask();
}

void CallWitness::ask() {
  const std::string url = options_.signature_url + '/' + percent_encoded(receipt_.chat_id) +
                          "?model=" + percent_encoded(receipt_.model) +
                          "&signing_algo=" + proof_->signers.front().signing_algorithm;
  get_ = std::make_unique<dialect::HttpGet>(services_);
  const Status sent = get_->send(loop_, url, headers_,
                                 {sealing::kSignatureReplyMaxBytes, options_.signatures.timeout_ms},
                                 [this](const Result<dialect::HttpReply>& reply) { take(reply); });
  if (!sent) reject(absent(sent.error().message), "absent");
}

// A signature may be there a moment after the answer's last byte.
void CallWitness::take(const Result<dialect::HttpReply>& reply) {
  if (!reply) return ask_again(reply.error().message);
  if (reply->status != 200) return ask_again("status " + std::to_string(reply->status));
  judge(reply->body);
}

void CallWitness::ask_again(std::string why) {
  const bp_clock& clock = *services_.clock;
  const std::int64_t left_ns = asked_until_ns_ - clock.monotonic_ns(clock.context);
  if (left_ns < static_cast<std::int64_t>(delay_ms_) * kMillisecondNs) {
    return reject(absent(std::move(why)), "absent");
  }
  timer_ = services_.loop->post_after(
      loop_, std::exchange(delay_ms_, 2 * delay_ms_),
      [](void* self) {
        static_cast<CallWitness*>(self)->timer_ = 0;
        sdk::guarded_void([&] { static_cast<CallWitness*>(self)->ask(); });
      },
      this);
}

void CallWitness::judge(std::string_view reply) {
  const Result<sealing::ResponseSignature> read = sealing::read_response_signature(reply);
  if (!read) return reject(absent(read.error().message), "absent");
  receipts::SignatureFacts& facts = receipt_.signature;
  facts.text = read->text;
  facts.signature = read->signature;
  facts.algorithm = read->signing_algo;
  if (const Status checked = check(); !checked) return reject(checked.error(), "rejected");
  facts.verdict = "accepted";
  finish(ok());
}

// By any key that the model has proven: each replica has its own.
Status CallWitness::check() {
  Status last = ok();
  for (const receipts::AttestationFacts& signer : proof_->signers) {
    last = receipts::check_signature_of(receipt_.signature, receipt_.model, receipt_.request,
                                        receipt_.response, signer.signing_algorithm,
                                        signer.signing_address);
    if (!last && last.error().type == receipts::reason::kSignature) continue;
    if (!last) return last;
    const std::string policy = std::move(receipt_.attestation.policy);
    receipt_.attestation = signer;
    receipt_.attestation.policy = policy;
    receipt_.signature.signed_by = signer.signing_address;
    return ok();
  }
  on_other_key_();
  return last;
}

void CallWitness::reject(const Error& why, std::string_view verdict) {
  receipt_.signature.verdict = verdict;
  receipt_.signature.reason = why.type;
  receipt_.signature.message = why.message;
  options_.rejected_signatures.add();
  services_.host.log(BP_LOG_WARN, why.message, receipt_.request_id);
  finish(options_.signatures.checking == Checking::kRequire ? Status(why) : ok());
}

// Last of all, as it may destroy this.
void CallWitness::finish(Status status) {
  receipt_.unix_time = unix_time_s();
  const Done done = std::move(done_);
  done({std::move(status), receipts::to_json(receipt_)});
}

std::int64_t CallWitness::unix_time_s() const {
  return services_.clock->unix_ns(services_.clock->context) / 1'000'000'000;
}

}  // namespace backplane::sealed_calls
