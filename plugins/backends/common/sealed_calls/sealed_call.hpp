// SPDX-License-Identifier: Apache-2.0
// A chat whose messages are sealed for the attested key of its model, and whose answer for a key of
// its own: the attestation first, where none was verified a short while ago, then the call. As
// HttpCall it lives on request.loop, and cancel and resume hop there.
#pragma once

#include "common/http_call.hpp"
#include "common/sealed_calls/attestation_round.hpp"
#include "common/sealing/variant.hpp"

#include <backplane/plugin.hpp>

#include <string>
#include <vector>

namespace backplane::sealed_calls {

// What the sealed calls of one instance share; outlives them.
struct SealedCalls {
  const sealing::Variant* variant;
  AttestationOptions options;
  std::vector<dialect::Header> report_headers;  // of the question for an attestation
  AttestedKeys keys;
};

// `model`: the provider's name for it; `outgoing`: what would be sent without seals. Fails, without
// an event, when the variant cannot carry the request; what comes of the attestation is an event.
Result<Call*> start_sealed_call(SealedCalls& calls, const dialect::Upstream& upstream,
                                const bp_request& request, const bp_sink& sink,
                                std::string_view model, dialect::Outgoing outgoing);

}  // namespace backplane::sealed_calls
