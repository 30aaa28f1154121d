// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/net/certificates.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

namespace backplane::testing {

namespace {

constexpr long kValiditySeconds = 3600;

bool is_address(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

void add_extension(X509* certificate, int name, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, name, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* make_certificate(EVP_PKEY* key, const std::string& host) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kValiditySeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kValiditySeconds);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, NID_subject_alt_name, (is_address(host) ? "IP:" : "DNS:") + host);
  X509_sign(certificate, key, EVP_sha256());
  return certificate;
}

}  // namespace

Certificate::Certificate(const std::string& host) {
  std::string pattern = ::testing::TempDir() + "certificate.XXXXXX";
  folder_ = mkdtemp(pattern.data());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* made = make_certificate(key, host);
  FILE* file = fopen(this->key().c_str(), "w");
  EXPECT_EQ(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  fclose(file);
  file = fopen(certificate().c_str(), "w");
  EXPECT_EQ(PEM_write_X509(file, made), 1);
  fclose(file);
  X509_free(made);
  EVP_PKEY_free(key);
}

Certificate::~Certificate() {
  std::filesystem::remove_all(folder_);
}

}  // namespace backplane::testing
