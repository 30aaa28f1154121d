// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/certificate.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/attestation/pem.hpp"
#include "common/attestation/reason.hpp"
#include "common/attestation/signature.hpp"

namespace backplane::attestation {
namespace {

using StoreContext = std::unique_ptr<X509_STORE_CTX, FreeWith<&X509_STORE_CTX_free>>;

// Stacks that borrow what they hold.
void free_certificates(STACK_OF(X509) * stack) {
  sk_X509_free(stack);
}
void free_lists(STACK_OF(X509_CRL) * stack) {
  sk_X509_CRL_free(stack);
}
using CertificateStack = std::unique_ptr<STACK_OF(X509), FreeWith<&free_certificates>>;
using ListStack = std::unique_ptr<STACK_OF(X509_CRL), FreeWith<&free_lists>>;

template <class T>
bool is_canonical(T* object, BytesView der, int (*encode)(const T*, unsigned char**)) {
  unsigned char* out = nullptr;
  const int size = encode(object, &out);
  const bool same = size >= 0 && static_cast<std::size_t>(size) == der.size() &&
                    std::equal(der.begin(), der.end(), out);
  OPENSSL_free(out);
  return same;
}

Certificate certificate_from_der(BytesView der) {
  const unsigned char* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate || !is_canonical<X509>(certificate.get(), der, &i2d_X509)) return nullptr;
  return certificate;
}

std::string common_name_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool uses_p256(const X509& certificate) {
  return X509_get_signature_nid(&certificate) == NID_ecdsa_with_SHA256 &&
         is_p256(X509_get0_pubkey(&certificate));
}

std::string_view reason_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return reason::kCertificateTime;
    case X509_V_ERR_CERT_REVOKED:
      return reason::kCertificateRevoked;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return reason::kCrlTime;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
      return reason::kCrl;
    default:
      return reason::kCertificateChain;
  }
}

std::string place_of(X509_STORE_CTX* context) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  return certificate == nullptr ? "the certificate chain" : '"' + common_name(*certificate) + '"';
}

Status verify(const std::vector<Certificate>& chain,
              const std::vector<const RevocationList*>& lists, std::int64_t unix_time) {
  const CertificateStack between(sk_X509_new_null());
  const CertificateStack roots(sk_X509_new_null());
  const ListStack crls(sk_X509_CRL_new_null());
  for (std::size_t at = 1; at + 1 < chain.size(); ++at) {
    sk_X509_push(between.get(), chain[at].get());
  }
  sk_X509_push(roots.get(), chain.back().get());
  for (const RevocationList* list : lists) sk_X509_CRL_push(crls.get(), list->get());
  const StoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), nullptr, chain.front().get(), between.get()) != 1) {
    return internal_error("OpenSSL could not begin to verify a chain");
  }
  X509_STORE_CTX_set0_trusted_stack(context.get(), roots.get());
  X509_STORE_CTX_set0_crls(context.get(), crls.get());
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(
      rules, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_time(rules, unix_time);
  if (X509_verify_cert(context.get()) == 1) return ok();
  const int error = X509_STORE_CTX_get_error(context.get());
  return rejected(reason_of(error), place_of(context.get()) + ": " +
                                        X509_verify_cert_error_string(error) + ", at time " +
                                        std::to_string(unix_time));
}

}  // namespace

Result<std::vector<Certificate>> certificates_from_pem(std::string_view pem) {
  const Result<std::vector<Bytes>> blocks = read_pem(pem, "CERTIFICATE");
  if (!blocks) return rejected(reason::kCertificateChain, blocks.error().message);
  std::vector<Certificate> certificates;
  for (const Bytes& der : *blocks) {
    Certificate certificate = certificate_from_der(der);
    if (!certificate) {
      return rejected(reason::kCertificateChain, "a certificate of the chain cannot be read");
    }
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

RevocationList revocation_list(BytesView der) {
  const unsigned char* at = der.data();
  RevocationList list(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!list || !is_canonical<X509_CRL>(list.get(), der, &i2d_X509_CRL)) return nullptr;
  return list;
}

std::string common_name(const X509& certificate) {
  return common_name_of(X509_get_subject_name(&certificate));
}

std::string issuer_common_name(const X509& certificate) {
  return common_name_of(X509_get_issuer_name(&certificate));
}

Status check_chain(const std::vector<Certificate>& chain,
                   const std::vector<const RevocationList*>& lists, const TrustAnchor& anchor,
                   std::int64_t unix_time) {
  if (chain.size() < 2) return rejected(reason::kCertificateChain, "the chain has no issuer");
  for (const Certificate& certificate : chain) {
    if (!uses_p256(*certificate)) {
      return rejected(reason::kCertificateChain,
                      '"' + common_name(*certificate) + "\" is not of ECDSA P-256 with SHA-256");
    }
  }
  const auto root_key = p256_point(X509_get0_pubkey(chain.back().get()));
  if (!root_key || *root_key != anchor.root_key) {
    return rejected(reason::kRootUntrusted, "the chain ends in a root that is not the pinned one");
  }
  return verify(chain, lists, unix_time);
}

}  // namespace backplane::attestation
