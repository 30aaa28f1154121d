// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/keys.hpp"

#include <openssl/rand.h>
#include <sodium.h>

#include <optional>
#include <utility>

#include "common/sealing/hex.hpp"
#include "common/sealing/secp256k1.hpp"

namespace backplane::sealing {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes copy_of(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

Error no_key() {
  return invalid_argument("the public key is no point of its curve");
}

// Fails for points of small order and for those outside of the main subgroup.
std::optional<Bytes> to_x25519(std::span<const std::uint8_t> ed25519) {
  Bytes mapped(crypto_scalarmult_BYTES);
  if (crypto_sign_ed25519_pk_to_curve25519(mapped.data(), ed25519.data()) != 0) return std::nullopt;
  return mapped;
}

struct Ed25519Pair {
  Secret<32> scalar;
  Bytes public_key;
};

Ed25519Pair expand_seed(const Secret<32>& seed) {
  Secret<crypto_sign_SECRETKEYBYTES> secret_key;
  Ed25519Pair pair{{}, Bytes(crypto_sign_PUBLICKEYBYTES)};
  crypto_sign_seed_keypair(pair.public_key.data(), secret_key.bytes().data(), seed.bytes().data());
  crypto_sign_ed25519_sk_to_curve25519(pair.scalar.bytes().data(), secret_key.bytes().data());
  return pair;
}

}  // namespace

Curve exchange_curve(Curve curve) {
  return curve == Curve::kEd25519 ? Curve::kX25519 : curve;
}

std::size_t public_bytes(Curve curve) {
  return curve == Curve::kSecp256k1 ? kPointBytes : 32;
}

Result<PublicKey> PublicKey::parse(Curve curve, std::string_view text) {
  std::optional<Bytes> bytes = from_hex(without_hex_prefix(text));
  if (!bytes) return invalid_argument("the public key is not hexadecimal text");
  if (curve == Curve::kSecp256k1 && bytes->size() + 1 == kPointBytes) {
    bytes->insert(bytes->begin(), 4);
  }
  return from_bytes(curve, *bytes);
}

Result<PublicKey> PublicKey::from_bytes(Curve curve, std::span<const std::uint8_t> bytes) {
  if (bytes.size() != public_bytes(curve)) {
    return invalid_argument("the public key has " + std::to_string(bytes.size()) +
                            " bytes; expected " + std::to_string(public_bytes(curve)));
  }
  if (curve == Curve::kSecp256k1 && !is_point(bytes)) return no_key();
  if (curve != Curve::kEd25519) return PublicKey(curve, copy_of(bytes), copy_of(bytes));
  std::optional<Bytes> mapped = to_x25519(bytes);
  if (!mapped) return no_key();
  return PublicKey(curve, copy_of(bytes), std::move(*mapped));
}

Result<KeyPair> KeyPair::generate(Curve curve) {
  // Of secp256k1 one scalar of 2^128 is none.
  for (int attempt = 0; attempt < 3; ++attempt) {
    Secret<32> secret;
    if (const Status filled = fill_random(secret.bytes()); !filled) return filled.error();
    Result<KeyPair> pair = from_private(curve, std::move(secret));
    if (pair) return pair;
  }
  return internal_error("no key could be made");
}

Result<KeyPair> KeyPair::from_private(Curve curve, Secret<32> secret) {
  if (curve == Curve::kSecp256k1) {
    const std::optional<Point> point = point_of(secret);
    if (!point) return invalid_argument("the private key is no scalar of its curve");
    return KeyPair(std::move(secret), PublicKey::from_bytes(curve, *point).value());
  }
  if (curve == Curve::kEd25519) {
    Ed25519Pair pair = expand_seed(secret);
    return KeyPair(std::move(pair.scalar), PublicKey::from_bytes(curve, pair.public_key).value());
  }
  Bytes point(crypto_scalarmult_BYTES);
  crypto_scalarmult_base(point.data(), secret.bytes().data());
  return KeyPair(std::move(secret), PublicKey::from_bytes(curve, point).value());
}

Result<Secret<32>> KeyPair::agree(std::span<const std::uint8_t> bytes) const {
  const Curve curve = exchange_curve(public_key_.curve());
  if (bytes.size() != public_bytes(curve)) return no_key();
  if (curve == Curve::kSecp256k1) {
    std::optional<Secret<32>> shared = shared_x(scalar_, bytes);
    if (!shared) return no_key();
    return std::move(*shared);
  }
  // RFC 7748 ignores the highest bit; who encodes a point never sets it.
  if ((bytes.back() & 0x80U) != 0) return no_key();
  Secret<32> shared;
  if (crypto_scalarmult(shared.bytes().data(), scalar_.bytes().data(), bytes.data()) != 0) {
    return no_key();
  }
  return shared;
}

Status fill_random(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return internal_error("the system gives no randomness");
  }
  return ok();
}

}  // namespace backplane::sealing
