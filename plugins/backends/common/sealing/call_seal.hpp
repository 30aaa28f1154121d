// SPDX-License-Identifier: Apache-2.0
// The seals of one call: its own key, for which the answer is sealed, and the attested key of the
// model, for which the request is. Dropped, it takes the key with it, and nobody can open the
// answer any more. Lives on the call's loop; not thread-safe.
#pragma once

#include "common/sealing/associated_data.hpp"
#include "common/sealing/sealed_box.hpp"
#include "common/sealing/variant.hpp"
#include "common/upstream.hpp"

#include <backplane/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

class CallSeal {
 public:
  // With a fresh key and nonce. `attested_key` is hexadecimal text, as the attestation has it;
  // `unix_time_s` the time of the call. INVALID_ARGUMENT: no key of the variant's curve. INTERNAL:
  // no randomness.
  static Result<CallSeal> make(const Variant& variant, std::string_view attested_key,
                               std::int64_t unix_time_s);
  // With those given.
  static Result<CallSeal> make_with(const Variant& variant, std::string_view attested_key,
                                    KeyPair own, Freshness freshness);

  const Variant& variant() const { return *variant_; }

  // What the request says besides its body.
  std::vector<dialect::Header> headers() const;

  Result<std::string> seal(const RequestPlace& place, std::string_view plaintext) const;
  // DATA_LOSS: BoxOpener::open.
  Result<std::string> open(const ResponsePlace& place, std::string_view sealed);

 private:
  CallSeal(const Variant& variant, std::string model_key_text, PublicKey model_key, KeyPair own,
           Freshness freshness);

  const Variant* variant_;
  std::string model_key_text_;
  PublicKey model_key_;
  BoxOpener opener_;
  Freshness freshness_;
};

}  // namespace backplane::sealing
