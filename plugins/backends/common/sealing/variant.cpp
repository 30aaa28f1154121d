// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/variant.hpp"

#include <algorithm>
#include <array>

namespace backplane::sealing {
namespace {

constexpr std::string_view kEcdsaInfo = "ecdsa_encryption";
constexpr std::string_view kEd25519Info = "ed25519_encryption";

constexpr BoxScheme kEcdsaGcm{Curve::kSecp256k1, Cipher::kAes256Gcm, kEcdsaInfo};
constexpr BoxScheme kEd25519Gcm{Curve::kEd25519, Cipher::kAes256Gcm, kEd25519Info};

constexpr VariantHeaders kFirst{"x-client-pub-key", "x-model-pub-key", "x-signing-algo", "", ""};
constexpr VariantHeaders kDstackSecond{"x-client-pub-key", "x-model-pub-key", "x-signing-algo",
                                       "x-e2ee-version", "2"};
constexpr VariantHeaders kAciSecond{"x-client-pub-key", "x-model-pub-key", "", "x-e2ee-version",
                                    "2"};

constexpr VariantTraits kStreamOfPlainSpace{true, false, true};
constexpr VariantTraits kRestoresParts{false, true, false};

}  // namespace

const Variant kVenice{"venice",
                      kEcdsaGcm,
                      "ecdsa",
                      Binding::kNone,
                      {"x-venice-tee-client-pub-key", "x-venice-tee-model-pub-key",
                       "x-venice-tee-signing-algo", "", ""},
                      kStreamOfPlainSpace};
const Variant kNearV1{"near_v1", kEcdsaGcm, "ecdsa", Binding::kNone, kFirst, kRestoresParts};
const Variant kNearV2{
    "near_v2",
    {Curve::kEd25519, Cipher::kXChaCha20Poly1305, kEd25519Info},
    "ed25519",
    Binding::kNone,
    {"x-client-pub-key", "x-model-pub-key", "x-signing-algo", "x-encryption-version", "2"},
    kRestoresParts};
const Variant kDstackV1Ed25519{"dstack_v1_ed25519", kEd25519Gcm, "ed25519",
                               Binding::kNone,      kFirst,      kRestoresParts};
const Variant kDstackV2Ecdsa{"dstack_v2_ecdsa", kEcdsaGcm,     "ecdsa",
                             Binding::kDstack,  kDstackSecond, kRestoresParts};
const Variant kDstackV2Ed25519{"dstack_v2_ed25519", kEd25519Gcm,   "ed25519",
                               Binding::kDstack,    kDstackSecond, kRestoresParts};
const Variant kAciV2X25519{"aci_v2_x25519",
                           {Curve::kX25519, Cipher::kAes256Gcm, "aci.e2ee.v2.x25519"},
                           "x25519-aes-256-gcm-hkdf-sha256",
                           Binding::kAci,
                           kAciSecond,
                           kRestoresParts};
const Variant kAciV2Secp256k1{"aci_v2_secp256k1",
                              {Curve::kSecp256k1, Cipher::kAes256Gcm, "aci.e2ee.v2.secp256k1"},
                              "secp256k1-aes-256-gcm-hkdf-sha256",
                              Binding::kAci,
                              kAciSecond,
                              kRestoresParts};

std::span<const Variant* const> variants() {
  static constexpr std::array<const Variant*, 8> kAll{
      &kVenice,        &kNearV1,          &kNearV2,      &kDstackV1Ed25519,
      &kDstackV2Ecdsa, &kDstackV2Ed25519, &kAciV2X25519, &kAciV2Secp256k1};
  return kAll;
}

const Variant* find_variant(std::string_view name) {
  const auto all = variants();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Variant* variant) { return variant->name == name; });
  return found == all.end() ? nullptr : *found;
}

}  // namespace backplane::sealing
