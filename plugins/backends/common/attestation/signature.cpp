// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include <algorithm>

namespace backplane::attestation {
namespace {

constexpr std::string_view kCurve = "prime256v1";
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<&EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<&EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<&ECDSA_SIG_free>>;

Bytes der_of(const Field<64>& signature) {
  const EcdsaSignature parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(signature.data(), 32, nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + 32, 32, nullptr);
  ECDSA_SIG_set0(parts.get(), r, s);
  std::uint8_t* out = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &out);
  Bytes der(out, out + std::max(size, 0));
  OPENSSL_free(out);
  return der;
}

}  // namespace

PublicKey p256_key(const Field<64>& point) {
  Field<65> encoded{};
  encoded[0] = 4;
  std::copy(point.begin(), point.end(), encoded.begin() + 1);
  std::string curve(kCurve);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(parameters)) != 1) {
    return nullptr;
  }
  return PublicKey(key);
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> name{};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == kCurve;
}

std::optional<Field<64>> p256_point(const EVP_PKEY* key) {
  Field<65> encoded{};
  std::size_t size = 0;
  if (!is_p256(key) ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(),
                                      &size) != 1 ||
      size != encoded.size() || encoded[0] != 4) {
    return std::nullopt;
  }
  Field<64> point{};
  std::copy(encoded.begin() + 1, encoded.end(), point.begin());
  return point;
}

bool is_signed_by(EVP_PKEY* key, BytesView data, const Field<64>& signature) {
  if (!is_p256(key)) return false;
  const Bytes der = der_of(signature);
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(), data.data(), data.size()) == 1;
}

}  // namespace backplane::attestation
