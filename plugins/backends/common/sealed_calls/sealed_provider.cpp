// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/sealed_provider.hpp"

#include <utility>

namespace backplane::sealed_calls {
namespace {

constexpr std::string_view kChat = "chat.completions";

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
}

Status SealedProvider::start() {
  const Status started = Provider::start();
  calls_.report_headers = headers();
  calls_.report_headers.push_back({"accept", "application/json"});
  return started;
}

bool SealedProvider::seals(std::string_view model) const {
  if (sealed_ != Sealed::kNamed) return sealed_ == Sealed::kAll;
  return model.substr(0, name_prefix_.size()) == name_prefix_;
}

Result<Call*> SealedProvider::send(const bp_request& request, const bp_sink& sink,
                                   std::string_view model, dialect::Outgoing outgoing) {
  if (!seals(model)) return Provider::send(request, sink, model, std::move(outgoing));
  if (view(request.operation) != kChat) {
    return not_sealed(*calls_.variant, view(request.operation));
  }
  return start_sealed_call(calls_, upstream(), request, sink, model, std::move(outgoing));
}

}  // namespace backplane::sealed_calls
