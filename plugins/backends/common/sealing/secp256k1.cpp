// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/secp256k1.hpp"

#include <openssl/rand.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <memory>

namespace backplane::sealing {
namespace {

struct ContextDeleter {
  void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};
using Context = std::unique_ptr<secp256k1_context, ContextDeleter>;

// Blinded against side channels; without randomness it works all the same.
Context make_context() {
  Context context(secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY));
  Secret<32> seed;
  if (RAND_bytes(seed.bytes().data(), 32) == 1) {
    [[maybe_unused]] const int is_blinded =
        secp256k1_context_randomize(context.get(), seed.bytes().data());
  }
  return context;
}

const secp256k1_context* context() {
  static const Context kContext = make_context();
  return kContext.get();
}

bool parse(std::span<const std::uint8_t> bytes, secp256k1_pubkey& key) {
  if (bytes.size() != kPointBytes || bytes[0] != 4) return false;
  return secp256k1_ec_pubkey_parse(context(), &key, bytes.data(), bytes.size()) == 1;
}

Point serialize(const secp256k1_pubkey& key) {
  Point point{};
  std::size_t size = point.size();
  secp256k1_ec_pubkey_serialize(context(), point.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  return point;
}

int keep_x(unsigned char* output, const unsigned char* x, const unsigned char*, void*) {
  std::copy_n(x, 32, output);
  return 1;
}

}  // namespace

bool is_point(std::span<const std::uint8_t> bytes) {
  secp256k1_pubkey key;
  return parse(bytes, key);
}

std::optional<Point> point_of(const Secret<32>& scalar) {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context(), &key, scalar.bytes().data()) != 1) return std::nullopt;
  return serialize(key);
}

std::optional<Secret<32>> shared_x(const Secret<32>& scalar, std::span<const std::uint8_t> point) {
  secp256k1_pubkey key;
  if (!parse(point, key)) return std::nullopt;
  Secret<32> shared;
  if (secp256k1_ecdh(context(), shared.bytes().data(), &key, scalar.bytes().data(), keep_x,
                     nullptr) != 1) {
    return std::nullopt;
  }
  return shared;
}

std::optional<Point> recover_signer(std::span<const std::uint8_t, 32> digest,
                                    std::span<const std::uint8_t, 65> signature) {
  const int recovery = signature[64] - 27;
  if (recovery != 0 && recovery != 1) return std::nullopt;
  secp256k1_ecdsa_recoverable_signature recoverable;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &recoverable, signature.data(),
                                                          recovery) != 1) {
    return std::nullopt;
  }
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &recoverable);
  if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1) return std::nullopt;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recover(context(), &key, &recoverable, digest.data()) != 1) {
    return std::nullopt;
  }
  return serialize(key);
}

}  // namespace backplane::sealing
