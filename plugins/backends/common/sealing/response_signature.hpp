// SPDX-License-Identifier: Apache-2.0
// The signature that a provider makes of an answer: a text that names the hashes of the request and
// of the response, signed by the key that its attestation names. Pure functions [any-thread].
#pragma once

#include "common/sealing/keccak.hpp"

#include <backplane/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace backplane::sealing {

inline constexpr std::size_t kSignatureReplyMaxBytes = std::size_t{64} << 10;

// What the provider's endpoint answers, as sent.
struct ResponseSignature {
  std::string text;
  std::string signature;        // hexadecimal, with 0x or without
  std::string signing_address;  // may be empty; a claim, nothing is trusted for it
  std::string signing_algo;     // "ecdsa" or "ed25519"; empty: ecdsa
};

// INVALID_ARGUMENT, naming what is wrong: no such JSON object, or too large.
Result<ResponseSignature> read_response_signature(std::string_view document);

// Who is to have signed, from a verified attestation.
struct Ed25519Signer {
  std::array<std::uint8_t, 32> public_key;
};
using Signer = std::variant<EthereumAddress, Ed25519Signer>;

// `algorithm` is "ecdsa" and `text` an address (of any case), or "ed25519" and `text` a key; both
// hexadecimal, with 0x or without. INVALID_ARGUMENT: neither.
Result<Signer> parse_signer(std::string_view algorithm, std::string_view text);

// That `signer` has signed the text: by EIP-191's personal message, or by Ed25519. DATA_LOSS: no,
// and why.
Status check_signature(const ResponseSignature& signature, const Signer& signer);

// What the text says.
struct SignedHashes {
  std::string model;  // empty: none was named
  std::string request_sha256;
  std::string response_sha256;
};

// `request:response` or `model:request:response`, split from the right, as a model's name may hold
// colons. INVALID_ARGUMENT: the last two are not hexadecimal text of 32 bytes.
Result<SignedHashes> split_signed_text(std::string_view text);

// That the text speaks of these bytes; hashes in hexadecimal of either case. DATA_LOSS: not, and of
// which it does not.
Status check_hashes(const SignedHashes& signed_hashes, std::string_view request_sha256,
                    std::string_view response_sha256);

}  // namespace backplane::sealing
