// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/key_derivation.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <string>

namespace backplane::sealing {
namespace {

struct Deleter {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

EVP_KDF* hkdf() {
  static const std::unique_ptr<EVP_KDF, Deleter> kHkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  return kHkdf.get();
}

}  // namespace

Result<Secret<32>> derive_key(const Secret<32>& shared, std::string_view info) {
  const std::unique_ptr<EVP_KDF_CTX, Deleter> context(EVP_KDF_CTX_new(hkdf()));
  std::string digest = "SHA256";
  std::string label(info);
  // The parameters' constructor takes no const, and writes nothing.
  auto* key = const_cast<std::uint8_t*>(shared.bytes().data());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, shared.bytes().size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label.data(), label.size()),
      OSSL_PARAM_construct_end()};
  Secret<32> derived;
  if (context == nullptr ||
      EVP_KDF_derive(context.get(), derived.bytes().data(), 32, parameters) != 1) {
    return internal_error("no key could be derived");
  }
  return derived;
}

}  // namespace backplane::sealing
