// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/sealed_provider.hpp"

#include <utility>

namespace backplane::sealed_calls {
namespace {

constexpr std::string_view kChat = "chat.completions";
constexpr std::int64_t kRetryS = 10;  // for which a model that failed is not asked again

Error not_sealed(const sealing::Variant& variant, std::string_view operation) {
  return invalid_argument("end-to-end encryption (" + std::string(variant.name) +
                          ") covers chats alone, and \"" + std::string(operation) +
                          "\" would go in the clear");
}

}  // namespace

SealedProvider::SealedProvider(dialect::Settings settings, SealSettings seal,
                               std::string_view report_path, const dialect::Services& services,
                               std::string_view name, std::string agent)
    : Provider(std::move(settings), services, name, std::move(agent)),
      sealed_(seal.sealed),
      name_prefix_(std::move(seal.name_prefix)),
      calls_{seal.variant, std::move(seal.attestation), {}, {}} {
  calls_.options.report_url = base_url() + std::string(report_path);
  calls_.witness.attestation = seal.checking;
  calls_.witness.signatures = seal.signatures;
  calls_.witness.signature_url = base_url() + "/signature";
  if (seal.checking == Checking::kOff) return;
  calls_.options.retry_s = kRetryS;
  calls_.rejected_attestations =
      dialect::Counter(services.host, "backplane_rejected_attestations_total",
                       "Attestations of models that were rejected or could not be had", name);
  calls_.witness.rejected_signatures =
      dialect::Counter(services.host, "backplane_rejected_signatures_total",
                       "Answers whose signature does not hold or could not be had", name);
}

Status SealedProvider::start() {
  const Status started = Provider::start();
  calls_.report_headers = headers();
  calls_.report_headers.push_back({"accept", "application/json"});
  return started;
}

void SealedProvider::stop() {
  calls_.flights.stop(upstream().services);
  Provider::stop();
}

bool SealedProvider::seals(std::string_view model) const {
  if (sealed_ != Sealed::kNamed) return sealed_ == Sealed::kAll;
  return model.substr(0, name_prefix_.size()) == name_prefix_;
}

Result<Call*> SealedProvider::send(const bp_request& request, const bp_sink& sink,
                                   std::string_view model, dialect::Outgoing outgoing) {
  const bool is_sealed = seals(model);
  if (!is_sealed && calls_.witness.attestation == Checking::kOff) {
    return Provider::send(request, sink, model, std::move(outgoing));
  }
  if (const Status checked = check_operation(request, is_sealed); !checked) return checked.error();
  return start_sealed_call(calls_, upstream(), request, sink, model, std::move(outgoing));
}

// What cannot be as safe as was asked for is not sent.
Status SealedProvider::check_operation(const bp_request& request, bool is_sealed) const {
  const std::string_view operation = view(request.operation);
  if (is_sealed && operation != kChat) return not_sealed(*calls_.variant, operation);
  const bool is_signed = operation == kChat || operation == "completions";
  if (calls_.witness.signatures.checking != Checking::kRequire || is_signed) return ok();
  return invalid_argument("signatures are required, and answers to \"" + std::string(operation) +
                          "\" have none");
}

}  // namespace backplane::sealed_calls
