// SPDX-License-Identifier: Apache-2.0
// One text, sealed for whoever holds a private key: hexadecimal text, in lower case, of
//
//   one-time public key ‖ nonce ‖ ciphertext ‖ tag (16)
//
// under HKDF-SHA256 (RFC 5869; no salt, 32 bytes) of what the one-time key and the recipient's
// agree on.
#pragma once

#include "common/sealing/keys.hpp"

#include <backplane/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

enum class Cipher {
  kAes256Gcm,          // nonce of 12 bytes
  kXChaCha20Poly1305,  // nonce of 24 bytes
};

struct BoxScheme {
  Curve curve;  // of the recipient's key
  Cipher cipher;
  std::string_view key_info;  // HKDF's info
};

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kPlaintextMaxBytes = std::size_t{64} << 20;

std::size_t nonce_bytes(Cipher cipher);
// Digits of a sealed empty text; nothing shorter is one.
std::size_t box_min_digits(const BoxScheme& scheme);

// With a fresh one-time key and nonce. INVALID_ARGUMENT: too long. INTERNAL: no randomness.
Result<std::string> seal_box(const BoxScheme& scheme, const PublicKey& recipient,
                             std::string_view plaintext, std::string_view associated_data);

// With those given, of exchange_curve(scheme.curve) and nonce_bytes. Using them for a second text
// gives both away; this is for checking against known results.
Result<std::string> seal_box_with(const BoxScheme& scheme, const PublicKey& recipient,
                                  std::string_view plaintext, std::string_view associated_data,
                                  const KeyPair& one_time, std::span<const std::uint8_t> nonce);

// Opens what is sealed for one key. It keeps the key of the last sender, as some servers use one
// one-time key for all of an answer. Not thread-safe.
class BoxOpener {
 public:
  BoxOpener(const BoxScheme& scheme, KeyPair recipient)
      : scheme_(scheme), recipient_(std::move(recipient)) {}

  const PublicKey& public_key() const { return recipient_.public_key(); }

  // DATA_LOSS, with a status of 502: not sealed at all, too short, no point of the curve, or not
  // for this key and these associated data. The message says which and quotes nothing.
  Result<std::string> open(std::string_view sealed, std::string_view associated_data);

 private:
  Status use_sender(std::span<const std::uint8_t> sender);

  BoxScheme scheme_;
  KeyPair recipient_;
  std::vector<std::uint8_t> sender_;  // empty: none yet
  Secret<32> key_;                    // agreed upon with the sender
};

}  // namespace backplane::sealing
