// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/response_signature.hpp"

#include <simdjson.h>
#include <sodium.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "common/call_error.hpp"
#include "common/sealing/hex.hpp"
#include "common/sealing/secp256k1.hpp"

namespace backplane::sealing {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kHashDigits = 64;

Error not_signed(const char* why) {
  return dialect::bad_answer(Code::kDataLoss,
                             std::string("the provider's signature does not hold: ") + why);
}

std::string member(const dom::object& object, std::string_view name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> fixed_bytes(std::string_view text) {
  const std::optional<std::vector<std::uint8_t>> bytes = from_hex(without_hex_prefix(text));
  if (!bytes || bytes->size() != Size) return std::nullopt;
  std::array<std::uint8_t, Size> fixed{};
  std::copy(bytes->begin(), bytes->end(), fixed.begin());
  return fixed;
}

// EIP-191, version 0x45.
KeccakDigest personal_message_digest(std::string_view text) {
  std::string message =
      "\x19"
      "Ethereum Signed Message:\n" +
      std::to_string(text.size());
  return keccak256(bytes_of(message.append(text)));
}

Status check_ecdsa(const ResponseSignature& signature, const EthereumAddress& address) {
  const auto bytes = fixed_bytes<kPointBytes>(signature.signature);
  if (!bytes) return not_signed("it is not hexadecimal text of 65 bytes");
  const std::optional<Point> point =
      recover_signer(personal_message_digest(signature.text), *bytes);
  if (!point) return not_signed("no key makes it");
  if (ethereum_address(std::span<const std::uint8_t, kPointBytes>(*point).last<64>()) != address) {
    return not_signed("another key than the attested one made it");
  }
  return ok();
}

Status check_ed25519(const ResponseSignature& signature, const Ed25519Signer& signer) {
  const auto bytes = fixed_bytes<crypto_sign_BYTES>(signature.signature);
  if (!bytes) return not_signed("it is not hexadecimal text of 64 bytes");
  const std::span<const std::uint8_t> text = bytes_of(signature.text);
  if (crypto_sign_verify_detached(bytes->data(), text.data(), text.size(),
                                  signer.public_key.data()) != 0) {
    return not_signed("the attested key did not make it");
  }
  return ok();
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'F') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && from_hex(text).has_value();
}

}  // namespace

Result<ResponseSignature> read_response_signature(std::string_view document) {
  if (document.size() > kSignatureReplyMaxBytes) {
    return invalid_argument("the provider's signature is larger than 64 KiB");
  }
  dom::parser parser;
  dom::object object;
  if (parser.parse(document.data(), document.size()).get(object) != simdjson::SUCCESS) {
    return invalid_argument("the provider's signature is not a JSON object");
  }
  ResponseSignature read{member(object, "text"), member(object, "signature"),
                         member(object, "signing_address"), member(object, "signing_algo")};
  if (read.text.empty() || read.signature.empty()) {
    return invalid_argument("the provider's signature lacks \"text\" or \"signature\"");
  }
  return read;
}

Result<Signer> parse_signer(std::string_view algorithm, std::string_view text) {
  if (algorithm == "ecdsa") {
    const auto address = fixed_bytes<20>(text);
    if (!address) return invalid_argument("expected an address of 40 hexadecimal digits");
    return Signer(*address);
  }
  if (algorithm != "ed25519") {
    return invalid_argument("expected the signing algorithm \"ecdsa\" or \"ed25519\"");
  }
  const auto key = fixed_bytes<32>(text);
  if (!key) return invalid_argument("expected an Ed25519 key of 64 hexadecimal digits");
  return Signer(Ed25519Signer{*key});
}

Status check_signature(const ResponseSignature& signature, const Signer& signer) {
  const auto* address = std::get_if<EthereumAddress>(&signer);
  const std::string_view expected = address != nullptr ? "ecdsa" : "ed25519";
  if (!signature.signing_algo.empty() && signature.signing_algo != expected) {
    return not_signed("it is of another algorithm than the attested key");
  }
  return address != nullptr ? check_ecdsa(signature, *address)
                            : check_ed25519(signature, std::get<Ed25519Signer>(signer));
}

Result<SignedHashes> split_signed_text(std::string_view text) {
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos)
    return invalid_argument("the signed text names no two hashes");
  const std::string_view head = text.substr(0, last);
  const std::size_t first = head.rfind(':');
  const std::size_t request = first == std::string_view::npos ? 0 : first + 1;
  SignedHashes hashes{std::string(first == std::string_view::npos ? "" : head.substr(0, first)),
                      lower_case(head.substr(request)), lower_case(text.substr(last + 1))};
  if (!is_hash(hashes.request_sha256) || !is_hash(hashes.response_sha256)) {
    return invalid_argument("the signed text names no two hashes of 64 hexadecimal digits");
  }
  return hashes;
}

Status check_hashes(const SignedHashes& signed_hashes, std::string_view request_sha256,
                    std::string_view response_sha256) {
  if (signed_hashes.request_sha256 != lower_case(request_sha256)) {
    return not_signed("it is of another request than the one sent");
  }
  if (signed_hashes.response_sha256 != lower_case(response_sha256)) {
    return not_signed("it is of another response than the one received");
  }
  return ok();
}

}  // namespace backplane::sealing
