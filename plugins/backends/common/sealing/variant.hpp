// SPDX-License-Identifier: Apache-2.0
// The ways of end-to-end encryption that providers have, as data. They differ under the same header
// names ("ed25519" is another cipher at NEAR than at dstack), so a deployment names the one it
// means; nothing is guessed or negotiated.
#pragma once

#include "common/sealing/sealed_box.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace backplane::sealing {

// What a ciphertext is bound to besides its key.
enum class Binding {
  kNone,
  kDstack,  // a line of text: model, place, nonce, time
  kAci,     // the same as canonical JSON (RFC 8785)
};

// Names of headers, empty where none is sent.
struct VariantHeaders {
  std::string_view client_key;
  std::string_view model_key;
  std::string_view algorithm;  // its value is Variant::algorithm
  std::string_view version;
  std::string_view version_value;
};

// What a server does besides.
struct VariantTraits {
  bool needs_stream;
  // It takes a sealed text that reads as a JSON array for a content of parts. So any part can be
  // sealed, and a text that happens to begin as an array has to go as one.
  bool restores_parts;
  bool passes_space;  // pieces of nothing but white space come as they are
};

struct Variant {
  std::string_view name;  // what settings say
  BoxScheme box;
  std::string_view algorithm;
  Binding binding;
  VariantHeaders headers;
  VariantTraits traits;
};

// kNearV1 is dstack's first version for secp256k1 as well.
extern const Variant kVenice;
extern const Variant kNearV1;
extern const Variant kNearV2;
extern const Variant kDstackV1Ed25519;
extern const Variant kDstackV2Ecdsa;
extern const Variant kDstackV2Ed25519;
extern const Variant kAciV2X25519;
extern const Variant kAciV2Secp256k1;

// In the order above.
std::span<const Variant* const> variants();

// Null: there is none of that name.
const Variant* find_variant(std::string_view name);

}  // namespace backplane::sealing
