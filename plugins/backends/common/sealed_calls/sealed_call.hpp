// SPDX-License-Identifier: Apache-2.0
// Calls of a model that has to prove what it is: the attestation first, where none was verified a
// short while ago, then the call, and what becomes of it is witnessed. A chat is sealed for the
// model's attested key, and its answer for a key of its own, where the deployment says so. As
// HttpCall it lives on request.loop, and cancel and resume hop there.
#pragma once

#include "common/http_call.hpp"
#include "common/sealed_calls/attestation_flights.hpp"
#include "common/sealed_calls/call_witness.hpp"
#include "common/sealing/variant.hpp"

#include <backplane/plugin.hpp>

#include <string>
#include <vector>

namespace backplane::sealed_calls {

// What the calls of one instance share; outlives them.
struct SealedCalls {
  const sealing::Variant* variant;  // null: nothing is sealed
  AttestationOptions options;
  std::vector<dialect::Header> report_headers;  // of questions for attestations and signatures
  AttestedKeys keys;
  WitnessOptions witness{};  // attestation kOff: nothing is witnessed
  dialect::Counter rejected_attestations{};
  AttestationFlights flights{};
};

// `model`: the provider's name for it; `outgoing`: what would be sent without seals. Fails, without
// an event, when the variant cannot carry the request, and where the model is known to have failed;
// what comes of the attestation is an event.
Result<Call*> start_sealed_call(SealedCalls& calls, const dialect::Upstream& upstream,
                                const bp_request& request, const bp_sink& sink,
                                std::string_view model, dialect::Outgoing outgoing);

}  // namespace backplane::sealed_calls
