// SPDX-License-Identifier: Apache-2.0
// Which calls are encrypted end to end, and what a model has to prove for that.
#pragma once

#include "common/sealed_calls/attestation_round.hpp"

#include <backplane/result.hpp>

#include <string_view>

namespace backplane::venice {

enum class Sealing {
  kOff,       // models that could be are sent what is to be sent in the clear
  kAuto,      // of models whose name begins with "e2ee-"
  kRequired,  // all; what cannot be is refused
};

struct SealSettings {
  Sealing sealing = Sealing::kAuto;
  sealed_calls::AttestationOptions attestation;  // but for the report's URL
};

// INVALID_ARGUMENT, naming the setting.
Result<SealSettings> read_seal_settings(std::string_view json);

}  // namespace backplane::venice
