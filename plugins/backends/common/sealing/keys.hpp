// SPDX-License-Identifier: Apache-2.0
// Keys that two sides agree on a secret with. Keys are not thread-safe; private ones are wiped when
// dropped, and nothing here prints them.
#pragma once

#include "common/sealing/secret.hpp"

#include <backplane/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

enum class Curve {
  kSecp256k1,  // the secret is the X coordinate
  kX25519,     // RFC 7748
  kEd25519,    // keys of RFC 8032, agreed upon by X25519 through the birational map
};

// The curve of one-time keys beside keys of `curve`: those of Ed25519 have nothing to sign.
Curve exchange_curve(Curve curve);

// Bytes of a public key, and of a point that a seal begins with.
std::size_t public_bytes(Curve curve);

class PublicKey {
 public:
  // Hexadecimal text, with 0x or without. Of secp256k1 130 digits, or 128 which lack the leading
  // 04: the length alone says which, as X may begin with 04 as well. INVALID_ARGUMENT: another
  // length, no hexadecimal text, or no key of the curve.
  static Result<PublicKey> parse(Curve curve, std::string_view text);
  static Result<PublicKey> from_bytes(Curve curve, std::span<const std::uint8_t> bytes);

  Curve curve() const { return curve_; }
  // 04‖X‖Y, or 32 bytes.
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  // What X25519 takes; the same bytes but for Ed25519.
  std::span<const std::uint8_t> exchange_bytes() const { return exchange_bytes_; }

 private:
  PublicKey(Curve curve, std::vector<std::uint8_t> bytes, std::vector<std::uint8_t> exchange_bytes)
      : curve_(curve), bytes_(std::move(bytes)), exchange_bytes_(std::move(exchange_bytes)) {}

  Curve curve_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> exchange_bytes_;
};

class KeyPair {
 public:
  // INTERNAL: the system gives no randomness.
  static Result<KeyPair> generate(Curve curve);
  // A scalar, or the seed of an Ed25519 key. INVALID_ARGUMENT: it is none.
  static Result<KeyPair> from_private(Curve curve, Secret<32> secret);

  const PublicKey& public_key() const { return public_key_; }

  // What both sides come to: with `bytes` of the other side's exchange key. INVALID_ARGUMENT: they
  // are no point of the curve, or one that leads to the same secret whatever the private key.
  Result<Secret<32>> agree(std::span<const std::uint8_t> bytes) const;

 private:
  KeyPair(Secret<32> scalar, PublicKey public_key)
      : scalar_(std::move(scalar)), public_key_(std::move(public_key)) {}

  Secret<32> scalar_;
  PublicKey public_key_;
};

// Fills `bytes` by the system's generator. INTERNAL: it gives none.
Status fill_random(std::span<std::uint8_t> bytes);

}  // namespace backplane::sealing
