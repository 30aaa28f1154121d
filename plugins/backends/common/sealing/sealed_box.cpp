// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/sealed_box.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "common/call_error.hpp"
#include "common/sealing/aes_gcm.hpp"
#include "common/sealing/hex.hpp"
#include "common/sealing/key_derivation.hpp"

namespace backplane::sealing {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == kTagBytes);

Error cannot_open(const char* why) {
  return dialect::bad_answer(Code::kDataLoss,
                             std::string("the provider's sealed text cannot be opened: ") + why);
}

bool encrypt(Cipher cipher, const Secret<32>& key, View nonce, View plaintext, View associated_data,
             std::span<std::uint8_t> out) {
  if (cipher == Cipher::kAes256Gcm) {
    return aes_gcm_encrypt(key, nonce.first<12>(), plaintext, associated_data, out);
  }
  return crypto_aead_xchacha20poly1305_ietf_encrypt(
             out.data(), nullptr, plaintext.data(), plaintext.size(), associated_data.data(),
             associated_data.size(), nullptr, nonce.data(), key.bytes().data()) == 0;
}

bool decrypt(Cipher cipher, const Secret<32>& key, View nonce, View sealed, View associated_data,
             std::span<std::uint8_t> out) {
  if (cipher == Cipher::kAes256Gcm) {
    return aes_gcm_decrypt(key, nonce.first<12>(), sealed, associated_data, out);
  }
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated_data.data(),
             associated_data.size(), nonce.data(), key.bytes().data()) == 0;
}

Result<Secret<32>> agree_on_key(const BoxScheme& scheme, const KeyPair& own, View other) {
  const Result<Secret<32>> shared = own.agree(other);
  if (!shared) return shared.error();
  return derive_key(*shared, scheme.key_info);
}

std::span<std::uint8_t> writable(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::size_t nonce_bytes(Cipher cipher) {
  return cipher == Cipher::kAes256Gcm ? 12 : 24;
}

std::size_t box_min_digits(const BoxScheme& scheme) {
  return 2 * (public_bytes(scheme.curve) + nonce_bytes(scheme.cipher) + kTagBytes);
}

Result<std::string> seal_box(const BoxScheme& scheme, const PublicKey& recipient,
                             std::string_view plaintext, std::string_view associated_data) {
  const Result<KeyPair> one_time = KeyPair::generate(exchange_curve(scheme.curve));
  if (!one_time) return one_time.error();
  std::array<std::uint8_t, 24> random{};
  const std::span<std::uint8_t> nonce = std::span(random).first(nonce_bytes(scheme.cipher));
  if (const Status filled = fill_random(nonce); !filled) return filled.error();
  return seal_box_with(scheme, recipient, plaintext, associated_data, *one_time, nonce);
}

Result<std::string> seal_box_with(const BoxScheme& scheme, const PublicKey& recipient,
                                  std::string_view plaintext, std::string_view associated_data,
                                  const KeyPair& one_time, std::span<const std::uint8_t> nonce) {
  assert(recipient.curve() == scheme.curve && nonce.size() == nonce_bytes(scheme.cipher));
  if (plaintext.size() > kPlaintextMaxBytes) {
    return invalid_argument("a text to be sealed is larger than 64 MiB");
  }
  const Result<Secret<32>> key = agree_on_key(scheme, one_time, recipient.exchange_bytes());
  if (!key) return key.error();
  const View sender = one_time.public_key().bytes();
  Bytes box(sender.begin(), sender.end());
  box.insert(box.end(), nonce.begin(), nonce.end());
  const std::size_t head = box.size();
  box.resize(head + plaintext.size() + kTagBytes);
  if (!encrypt(scheme.cipher, *key, nonce, bytes_of(plaintext), bytes_of(associated_data),
               std::span(box).subspan(head))) {
    return internal_error("a text could not be sealed");
  }
  return to_hex(box);
}

Status BoxOpener::use_sender(std::span<const std::uint8_t> sender) {
  if (std::equal(sender_.begin(), sender_.end(), sender.begin(), sender.end())) return ok();
  sender_.clear();
  Result<Secret<32>> key = agree_on_key(scheme_, recipient_, sender);
  if (!key) return cannot_open("its one-time key is no point of the curve");
  key_ = std::move(*key);
  sender_.assign(sender.begin(), sender.end());
  return ok();
}

Result<std::string> BoxOpener::open(std::string_view sealed, std::string_view associated_data) {
  const std::optional<Bytes> box = from_hex(sealed);
  if (!box) return cannot_open("it is not hexadecimal text, so it was not sealed");
  if (sealed.size() < box_min_digits(scheme_)) return cannot_open("it is too short");
  const View bytes(*box);
  const std::size_t key_bytes = public_bytes(scheme_.curve);
  const View nonce = bytes.subspan(key_bytes, nonce_bytes(scheme_.cipher));
  const View ciphertext = bytes.subspan(key_bytes + nonce.size());
  if (const Status used = use_sender(bytes.first(key_bytes)); !used) return used.error();
  std::string plaintext(ciphertext.size() - kTagBytes, '\0');
  if (!decrypt(scheme_.cipher, key_, nonce, ciphertext, bytes_of(associated_data),
               writable(plaintext))) {
    wipe(plaintext);
    return cannot_open("it was changed, or is sealed for another key or place");
  }
  return plaintext;
}

}  // namespace backplane::sealing
