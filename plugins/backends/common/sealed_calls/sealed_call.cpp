// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/sealed_call.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "common/call_error.hpp"
#include "common/sealing/answer_opener.hpp"
#include "common/sealing/chat_request.hpp"
#include "common/sealing/hex.hpp"

namespace backplane::sealed_calls {
namespace {

using dialect::Outgoing;
using dialect::Upstream;

constexpr std::int64_t kRefreshPart = 5;  // of the interval: what is left of it when it is due

std::string joined(const dialect::BodySplice& body) {
  std::string text;
  for (const bp_str& piece : body.pieces()) text += view(piece);
  return text;
}

std::int64_t unix_time_s(const Upstream& upstream) {
  const bp_clock* clock = upstream.services.clock;
  return clock->unix_ns(clock->context) / 1'000'000'000;
}

// Without the parameters that a provider reads from a name: "model:name=value".
std::string_view attested_name(std::string_view model) {
  const std::size_t colon = model.find(':');
  const bool has_parameters =
      colon != std::string_view::npos && model.find('=', colon) != std::string_view::npos;
  return has_parameters ? model.substr(0, colon) : model;
}

// The same call, sealed for `key`.
Result<Outgoing> sealed(const SealedCalls& calls, const Upstream& upstream, std::string_view key,
                        std::string_view model, Outgoing outgoing) {
  Result<sealing::CallSeal> seal =
      sealing::CallSeal::make(*calls.variant, key, unix_time_s(upstream));
  if (!seal) return seal.error();
  Result<std::string> body = sealing::seal_chat_request(*seal, joined(outgoing.body));
  if (!body) return body.error();
  for (dialect::Header& header : seal->headers()) outgoing.headers.push_back(std::move(header));
  outgoing.body = dialect::BodySplice::of_text(std::move(*body));
  outgoing.filter = std::make_unique<sealing::AnswerOpener>(std::move(*seal), std::string(model));
  return outgoing;
}

bool is_checked(const SealedCalls& calls) {
  return calls.variant != nullptr || calls.witness.attestation == Checking::kRequire;
}

bool is_signed(std::string_view operation) {
  return operation == "chat.completions" || operation == "completions";
}

// The question for attestations, of one instance.
AttestationFlights::Question question_of(SealedCalls& calls, const Upstream& upstream) {
  return {upstream.services, calls.options, calls.report_headers, calls.keys};
}

std::unique_ptr<dialect::AnswerWitness> witness_of(SealedCalls& calls, const Upstream& upstream,
                                                   const bp_request& request,
                                                   std::string_view model,
                                                   std::shared_ptr<const ModelProof> proof) {
  if (calls.witness.attestation == Checking::kOff || request.body_stream != nullptr) return nullptr;
  return std::make_unique<CallWitness>(
      upstream.services, calls.witness, calls.report_headers, request.loop,
      WitnessedCall{view(request.id), attested_name(model), is_signed(view(request.operation))},
      std::move(proof),
      [&calls, name = std::string(attested_name(model))] { calls.keys.drop_proof(name); });
}

// The call as it is sent, by what the model has proven.
Result<Outgoing> ready(SealedCalls& calls, const Upstream& upstream, const bp_request& request,
                       std::shared_ptr<const ModelProof> proof, std::string_view model,
                       Outgoing outgoing) {
  if (proof->rejection && is_checked(calls)) return *proof->rejection;
  if (calls.variant != nullptr) {
    Result<Outgoing> made = sealed(calls, upstream, proof->seal_key, model, std::move(outgoing));
    if (!made) return made.error();
    outgoing = std::move(*made);
  }
  outgoing.witness = witness_of(calls, upstream, request, model, std::move(proof));
  return outgoing;
}

// Asked again in time, while calls still rest on the proof.
void refresh_soon(SealedCalls& calls, const Upstream& upstream, const ModelProof& proof,
                  std::string_view model, bp_loop* loop) {
  const std::int64_t margin_s = calls.options.interval_s / kRefreshPart;
  const bool is_due = proof.until_unix_time_s - unix_time_s(upstream) <= margin_s;
  if (proof.rejection || !is_due) return;
  calls.flights.refresh(question_of(calls, upstream), std::string(attested_name(model)), loop);
}

// Whether the variant can carry it, found out before a model is asked for its key.
Status check_request(const SealedCalls& calls, const Outgoing& outgoing) {
  if (calls.variant == nullptr) return ok();
  const Result<sealing::KeyPair> nobody = sealing::KeyPair::generate(calls.variant->box.curve);
  if (!nobody) return nobody.error();
  const Result<sealing::CallSeal> seal =
      sealing::CallSeal::make(*calls.variant, sealing::to_hex(nobody->public_key().bytes()), 0);
  if (!seal) return seal.error();
  const Result<std::string> body = sealing::seal_chat_request(*seal, joined(outgoing.body));
  return body ? ok() : Status(body.error());
}

// A call that waits for an attestation, and then is the one it makes.
class WaitingCall final : public Call {
 public:
  WaitingCall(SealedCalls& calls, const Upstream& upstream, const bp_request& request,
              const bp_sink& sink, std::string_view model, Outgoing outgoing)
      : calls_(calls),
        upstream_(&upstream),
        loops_(upstream.services.loop),
        sink_(sink),
        writer_(sink_),
        id_(view(request.id)),
        operation_(view(request.operation)),
        model_(model),
        body_(request.body),
        request_(request),
        outgoing_(std::move(outgoing)) {
    request_.id = str(id_);
    request_.operation = str(operation_);
    request_.content_type = {};
    request_.model = str(model_);
    request_.metadata = nullptr;
    request_.metadata_count = 0;
  }
  ~WaitingCall() override {
    if (call_ != nullptr) call_->release(call_);
  }

  Status start() {
    Result<AttestationFlights::Ticket> ticket =
        calls_.flights.join(question_of(calls_, *upstream_), std::string(attested_name(model_)),
                            request_.loop, [this](std::shared_ptr<const ModelProof> proof) {
                              guarded([&] { take_proof(std::move(proof)); });
                              drop();
                            });
    if (!ticket) return ticket.error();
    ticket_ = std::move(*ticket);
    return ok();
  }

  void on_cancel() noexcept override { wake(kCancel); }
  void on_resume() noexcept override { wake(kResume); }
  void on_release() noexcept override { drop(); }

  void hold() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kCancel = 1;
  static constexpr std::uint32_t kResume = 2;

  template <class Body>
  void guarded(Body&& body) noexcept {
    try {
      body();
    } catch (...) {
      sdk::guarded_void([&] { fail(internal_error("out of memory")); });
    }
  }

  void take_proof(std::shared_ptr<const ModelProof> proof) {
    if (proof->rejection) note_rejection(*proof);
    Result<Outgoing> made =
        ready(calls_, *upstream_, request_, std::move(proof), model_, std::move(outgoing_));
    if (!made) return fail(made.error());
    Result<Call*> call = dialect::start_call(*upstream_, request_, sink_, std::move(*made));
    if (!call) return fail(call.error());
    call_ = *call;
  }

  // Where the call goes on all the same, `fail` will not tell it.
  void note_rejection(const ModelProof& proof) {
    calls_.rejected_attestations.add();
    if (is_checked(calls_)) return;
    upstream_->services.host.log(BP_LOG_WARN, proof.rejection->message, id_);
  }

  void fail(const Error& error) {
    if (dialect::is_worth_logging(error.code)) {
      upstream_->services.host.log(BP_LOG_WARN, error.message, id_);
    }
    writer_.error(error);
  }

  // [any-thread] One task at most is on its way.
  void wake(std::uint32_t reason) noexcept {
    if (wakes_.fetch_or(reason) != 0) return;
    hold();
    loops_->post(
        request_.loop,
        [](void* context) {
          auto& call = *static_cast<WaitingCall*>(context);
          call.woken();
          call.drop();
        },
        this);
  }

  void woken() noexcept {
    const std::uint32_t reasons = wakes_.exchange(0);
    if (writer_.ended()) return;
    if (call_ != nullptr) {
      ((reasons & kCancel) != 0 ? call_->cancel : call_->resume)(call_);
    } else if ((reasons & kCancel) != 0) {
      ticket_.leave();
      guarded([&] { fail(dialect::cancelled()); });
      drop();  // what the ticket held
    }
  }

  void drop() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  SealedCalls& calls_;
  const Upstream* upstream_;  // until the terminal event
  const bp_loop_service* loops_;
  const bp_sink sink_;
  EventWriter writer_;  // of what ends the call before there is another
  const std::string id_;
  const std::string operation_;
  const std::string model_;
  BufferRef body_;
  bp_request request_;
  Outgoing outgoing_;
  AttestationFlights::Ticket ticket_;
  bp_call* call_ = nullptr;                   // from the attestation on
  std::atomic<std::uint32_t> references_{1};  // the host, the ticket, each task on the loop
  std::atomic<std::uint32_t> wakes_{0};
};

}  // namespace

Result<Call*> start_sealed_call(SealedCalls& calls, const Upstream& upstream,
                                const bp_request& request, const bp_sink& sink,
                                std::string_view model, Outgoing outgoing) {
  const std::string_view name = attested_name(model);
  if (auto proof = calls.keys.proof_of(name, unix_time_s(upstream))) {
    refresh_soon(calls, upstream, *proof, model, request.loop);
    Result<Outgoing> made =
        ready(calls, upstream, request, std::move(proof), model, std::move(outgoing));
    if (!made) return made.error();
    return dialect::start_call(upstream, request, sink, std::move(*made));
  }
  if (const Status checked = check_request(calls, outgoing); !checked) return checked.error();
  auto call =
      std::make_unique<WaitingCall>(calls, upstream, request, sink, model, std::move(outgoing));
  call->hold();
  if (const Status started = call->start(); !started) return started.error();
  return call.release();
}

}  // namespace backplane::sealed_calls
