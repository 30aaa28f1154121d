// SPDX-License-Identifier: Apache-2.0
// Which calls of a backend are encrypted end to end, how, and what a model has to prove for that:
// the settings `e2ee`,
// `attestation` and `signatures`.
#pragma once

#include "common/sealed_calls/attestation_round.hpp"
#include "common/sealing/variant.hpp"

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::sealed_calls {

enum class Sealed {
  kNone,
  kNamed,  // of models whose names begin with a prefix
  kAll,    // and what cannot be encrypted is refused
};

// What becomes of a call whose evidence does not hold.
enum class Checking {
  kOff,      // nothing is looked at
  kWarn,     // the log and the receipt tell
  kRequire,  // it fails
};
std::string_view name_of(Checking checking);

struct SignatureOptions {
  Checking checking = Checking::kOff;
  std::uint32_t timeout_ms = 5'000;  // until the provider has to have the signature
};

struct SealSettings {
  Sealed sealed = Sealed::kNone;
  const sealing::Variant* variant = nullptr;  // null: none is sealed
  std::string name_prefix;                    // kNamed
  AttestationOptions attestation;             // but for the report's URL
  Checking checking = Checking::kOff;         // of the attestation, where nothing is sealed
  SignatureOptions signatures;                // of answers; kOff where the attestation's is
};

// `e2ee` is "auto" (also where it is absent), "required" or "off"; `variant` is the only one.
// INVALID_ARGUMENT, naming the setting.
Result<SealSettings> read_named_seals(std::string_view json, const sealing::Variant& variant,
                                      std::string_view name_prefix);

// `e2ee` is "off" (also where it is absent) or the name of a variant, and then for all calls.
Result<SealSettings> read_variant_seals(std::string_view json);

}  // namespace backplane::sealed_calls
