// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/aes_gcm.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <utility>

namespace backplane::sealing {
namespace {

constexpr std::size_t kTagBytes = 16;

struct Deleter {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Deleter>;

const EVP_CIPHER* cipher() {
  static const std::unique_ptr<EVP_CIPHER, Deleter> kCipher(
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return kCipher.get();
}

// Null: the library refuses.
Context begin(const Secret<32>& key, std::span<const std::uint8_t, 12> nonce,
              std::span<const std::uint8_t> associated_data, bool encrypts) {
  Context context(EVP_CIPHER_CTX_new());
  int taken = 0;
  const bool begun = context != nullptr &&
                     EVP_CipherInit_ex2(context.get(), cipher(), key.bytes().data(), nonce.data(),
                                        encrypts ? 1 : 0, nullptr) == 1 &&
                     (associated_data.empty() ||
                      EVP_CipherUpdate(context.get(), nullptr, &taken, associated_data.data(),
                                       static_cast<int>(associated_data.size())) == 1);
  return begun ? std::move(context) : nullptr;
}

bool transform(EVP_CIPHER_CTX* context, std::span<const std::uint8_t> in, std::uint8_t* out) {
  int taken = 0;
  return in.empty() ||
         EVP_CipherUpdate(context, out, &taken, in.data(), static_cast<int>(in.size())) == 1;
}

bool finish(EVP_CIPHER_CTX* context) {
  std::array<std::uint8_t, 16> none{};
  int taken = 0;
  return EVP_CipherFinal_ex(context, none.data(), &taken) == 1 && taken == 0;
}

}  // namespace

bool aes_gcm_encrypt(const Secret<32>& key, std::span<const std::uint8_t, 12> nonce,
                     std::span<const std::uint8_t> plaintext,
                     std::span<const std::uint8_t> associated_data, std::span<std::uint8_t> out) {
  assert(out.size() == plaintext.size() + kTagBytes);
  const Context context = begin(key, nonce, associated_data, true);
  return context != nullptr && transform(context.get(), plaintext, out.data()) &&
         finish(context.get()) &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                             out.last(kTagBytes).data()) == 1;
}

bool aes_gcm_decrypt(const Secret<32>& key, std::span<const std::uint8_t, 12> nonce,
                     std::span<const std::uint8_t> sealed,
                     std::span<const std::uint8_t> associated_data, std::span<std::uint8_t> out) {
  assert(sealed.size() == out.size() + kTagBytes);
  std::array<std::uint8_t, kTagBytes> tag{};
  std::copy_n(sealed.last(kTagBytes).begin(), kTagBytes, tag.begin());
  const Context context = begin(key, nonce, associated_data, false);
  return context != nullptr && transform(context.get(), sealed.first(out.size()), out.data()) &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
         finish(context.get());
}

}  // namespace backplane::sealing
