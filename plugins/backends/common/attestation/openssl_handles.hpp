// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects.
#pragma once

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace backplane::attestation {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using Certificate = std::unique_ptr<X509, FreeWith<&X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, FreeWith<&X509_CRL_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;

// Takes away what OpenSSL notes of failures while it lives: the thread's list of errors is shared
// with the TLS of the process, which must not find ours.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ~ErrorScope() { ERR_pop_to_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

}  // namespace backplane::attestation
