// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/common/attestation/made_evidence.hpp"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cassert>
#include <cstdlib>

#include "common/attestation/json_fields.hpp"
#include "common/attestation/openssl_handles.hpp"
#include "common/attestation/signature.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

constexpr std::int64_t kDay = 86'400;

template <class T>
T* require(T* made) {
  if (made == nullptr) std::abort();
  return made;
}

PublicKey make_key() {
  return PublicKey(require(EVP_EC_gen("P-256")));
}

Field<64> sign(EVP_PKEY* key, BytesView data) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
  std::size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, data.data(), data.size());
  Bytes der(size);
  EVP_DigestSign(context, der.data(), &size, data.data(), data.size());
  EVP_MD_CTX_free(context);
  const std::uint8_t* at = der.data();
  ECDSA_SIG* parts = require(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  Field<64> signature{};
  BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature.data() + 32, 32);
  ECDSA_SIG_free(parts);
  return signature;
}

Bytes operator+(Bytes left, BytesView right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes der(std::uint8_t tag, BytesView content) {
  Bytes out = {tag};
  if (content.size() < 128) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(content.size()));
  }
  return out + content;
}

Bytes der_number(unsigned value) {
  Bytes digits;
  if (value > 0xff) digits.push_back(static_cast<std::uint8_t>(value >> 8));
  digits.push_back(static_cast<std::uint8_t>(value));
  if (digits.front() >= 0x80) digits.insert(digits.begin(), 0);
  return der(2, digits);
}

Bytes der_pair(const std::string& name, BytesView value) {
  ASN1_OBJECT* object = require(OBJ_txt2obj(name.c_str(), 1));
  std::uint8_t* out = nullptr;
  const int size = i2d_ASN1_OBJECT(object, &out);
  const Bytes encoded(out, out + size);
  OPENSSL_free(out);
  ASN1_OBJECT_free(object);
  return der(0x30, encoded + value);
}

Bytes sgx_extension(const PckExtension& platform) {
  const std::string sgx = "1.2.840.113741.1.13.1";
  Bytes tcb;
  for (unsigned at = 0; at < 16; ++at) {
    const std::string name = sgx + ".2." + std::to_string(at + 1);
    tcb = tcb + der_pair(name, der_number(platform.sgx_svn[at]));
  }
  tcb = tcb + der_pair(sgx + ".2.17", der_number(platform.pce_svn));
  tcb = tcb + der_pair(sgx + ".2.18", der(4, platform.sgx_svn));
  Bytes all = der_pair(sgx + ".1", der(4, Bytes(16)));
  all = all + der_pair(sgx + ".2", der(0x30, tcb));
  all = all + der_pair(sgx + ".3", der(4, platform.pce_id));
  all = all + der_pair(sgx + ".4", der(4, platform.fmspc));
  return der(0x30, all + der_pair(sgx + ".5", der(10, Bytes{0})));
}

struct Subject {
  std::string name;
  PublicKey key;
  Certificate certificate;
};

void set_name(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

void add_extension(X509* certificate, int id, const char* value) {
  X509_EXTENSION* extension = require(X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_sgx_extension(X509* certificate, const PckExtension& platform) {
  const Bytes value = sgx_extension(platform);
  ASN1_OCTET_STRING* data = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(data, value.data(), static_cast<int>(value.size()));
  ASN1_OBJECT* id = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
  X509_EXTENSION* extension = require(X509_EXTENSION_create_by_OBJ(nullptr, id, 0, data));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OBJECT_free(id);
  ASN1_OCTET_STRING_free(data);
}

// Everything that is signed here, in the order in which it comes to be.
class Maker {
 public:
  explicit Maker(const Recipe& recipe) : recipe_(recipe) {
    root_ = subject("Intel SGX Root CA", nullptr, true);
    ca_ = subject(recipe.ca_name, &root_, recipe.is_ca);
    pck_ = subject(recipe.pck_name, &ca_, false);
    signing_ = subject(recipe.signing_name, &root_, false);
  }

  MadeEvidence make() {
    MadeEvidence made;
    made.quote = quote();
    Collateral& collateral = made.collateral;
    collateral.tcb_info = json::serialize(recipe_.tcb_info);
    collateral.tcb_info_signature = sign(signing_.key.get(), bytes_of(collateral.tcb_info));
    collateral.tcb_info_chain = pem({&signing_, &root_});
    collateral.qe_identity = json::serialize(recipe_.qe_identity);
    collateral.qe_identity_signature = sign(signing_.key.get(), bytes_of(collateral.qe_identity));
    collateral.qe_identity_chain = collateral.tcb_info_chain;
    collateral.root_crl = list(root_, {recipe_.revokes_ca ? &ca_ : nullptr,
                                       recipe_.revokes_signing ? &signing_ : nullptr});
    collateral.pck_crl = list(ca_, {recipe_.revokes_pck ? &pck_ : nullptr});
    made.options.unix_time = recipe_.now;
    made.options.anchor.root_key = *p256_point(root_.key.get());
    return made;
  }

 private:
  std::int64_t time_or(std::int64_t set, std::int64_t otherwise) const {
    return set != 0 ? set : otherwise;
  }

  Subject subject(const std::string& name, const Subject* issuer, bool is_ca) {
    Subject made{name, make_key(), Certificate(X509_new())};
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    const std::int64_t begin = time_or(recipe_.certificates_begin, recipe_.now - 180 * kDay);
    const std::int64_t end = time_or(recipe_.certificates_end, recipe_.now + 180 * kDay);
    ASN1_TIME_set(X509_getm_notBefore(certificate), begin);
    ASN1_TIME_set(X509_getm_notAfter(certificate), end);
    set_name(X509_get_subject_name(certificate), name);
    set_name(X509_get_issuer_name(certificate), issuer == nullptr ? name : issuer->name);
    X509_set_pubkey(certificate, made.key.get());
    add_extension(certificate, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(certificate, NID_key_usage,
                  is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (name == recipe_.pck_name) add_sgx_extension(certificate, recipe_.platform);
    EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
    if (X509_sign(certificate, signer, EVP_sha256()) == 0) std::abort();
    return made;
  }

  Bytes list(const Subject& issuer, const std::vector<const Subject*>& revoked) {
    const RevocationList made(X509_CRL_new());
    X509_CRL* list = made.get();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer.certificate.get()));
    ASN1_TIME* time = ASN1_TIME_new();
    ASN1_TIME_set(time, time_or(recipe_.lists_begin, recipe_.now - 15 * kDay));
    X509_CRL_set1_lastUpdate(list, time);
    for (const Subject* subject : revoked) {
      if (subject == nullptr) continue;
      X509_REVOKED* entry = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(subject->certificate.get()));
      X509_REVOKED_set_revocationDate(entry, time);
      X509_CRL_add0_revoked(list, entry);
    }
    ASN1_TIME_set(time, time_or(recipe_.lists_end, recipe_.now + 15 * kDay));
    X509_CRL_set1_nextUpdate(list, time);
    ASN1_TIME_free(time);
    if (X509_CRL_sign(list, issuer.key.get(), EVP_sha256()) == 0) std::abort();
    std::uint8_t* out = nullptr;
    const int size = i2d_X509_CRL(list, &out);
    Bytes encoded(out, out + size);
    OPENSSL_free(out);
    return encoded;
  }

  static std::string pem(const std::vector<const Subject*>& chain) {
    BIO* out = BIO_new(BIO_s_mem());
    for (const Subject* subject : chain) PEM_write_bio_X509(out, subject->certificate.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return text;
  }

  static void number(Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned at = 0; at < bytes; ++at) {
      out.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
    }
  }

  Bytes signed_part() const {
    const TdReport& report = recipe_.report;
    Bytes out;
    number(out, recipe_.version, 2);
    number(out, 2, 2);
    number(out, 0x81, 4);
    number(out, 0, 4);
    out = out + *field_from_hex<16>("939a7233f79c4ca9940a0db3957f0607") + Bytes(20, 7);
    if (recipe_.version == 5) {
      number(out, report.is_td15 ? 3 : 2, 2);
      number(out, report.is_td15 ? 648 : 584, 4);
    }
    out = out + report.tee_tcb_svn + report.mr_seam + report.mr_signer_seam +
          report.seam_attributes + report.td_attributes + report.xfam + report.mr_td +
          report.mr_config_id + report.mr_owner + report.mr_owner_config;
    for (const Field<48>& rtmr : report.rtmr) out = out + rtmr;
    out = out + report.report_data;
    if (report.is_td15) out = out + report.tee_tcb_svn2 + report.mr_service_td;
    return out;
  }

  Bytes qe_report(const Field<64>& key, const Bytes& authentication) const {
    Bytes out = Bytes(16) + Bytes(4) + Bytes(28) +
                *field_from_hex<16>("11000000000000000000000000000000") + Bytes(32, 9) + Bytes(32) +
                Bytes(32, 0xdc) + Bytes(96);
    number(out, 2, 2);
    number(out, recipe_.qe_svn, 2);
    return out + Bytes(60) + sha256(Bytes(key.begin(), key.end()) + authentication) + Bytes(32);
  }

  Bytes quote() {
    const PublicKey key = make_key();
    const PublicKey other = make_key();
    EVP_PKEY* signer = recipe_.has_foreign_attestation_key ? other.get() : key.get();
    const Bytes authentication(32, 0x5a);
    const Bytes report = qe_report(*p256_point(key.get()), authentication);
    Bytes inner = report + sign(pck_.key.get(), report);
    number(inner, authentication.size(), 2);
    inner = inner + authentication;
    const std::string chain =
        pem({&pck_, &ca_, &root_}) + (recipe_.has_nul ? std::string(1, 0) : "");
    number(inner, 5, 2);
    number(inner, chain.size(), 4);
    inner = inner + bytes_of(chain);
    const Bytes body = signed_part();
    Bytes outer = Bytes() + sign(signer, body) + *p256_point(signer);
    number(outer, 6, 2);
    number(outer, inner.size(), 4);
    outer = outer + inner;
    Bytes out = body;
    number(out, outer.size(), 4);
    return out + outer + recipe_.trailing;
  }

  const Recipe& recipe_;
  long serial_ = 1000;
  Subject root_, ca_, pck_, signing_;
};

json::array components(const Field<16>& svns) {
  json::array made;
  for (const std::uint8_t svn : svns) made.push_back(json::object{{"svn", svn}});
  return made;
}

json::object svn_level(unsigned isv_svn, const char* status) {
  return {{"tcb", json::object{{"isvsvn", isv_svn}}},
          {"tcbDate", "2026-01-01T00:00:00Z"},
          {"tcbStatus", status}};
}

json::object module(const char* status) {
  return {{"id", "TDX_01"},
          {"mrsigner", std::string(96, '0')},
          {"attributes", std::string(16, '0')},
          {"attributesMask", std::string(16, 'F')},
          {"tcbLevels", json::array{svn_level(3, status)}}};
}

}  // namespace

Recipe::Recipe() {
  report.tee_tcb_svn = {3, 1, 2};
  report.td_attributes[3] = 0x10;  // SEPT_VE_DISABLE
  report.mr_td.fill(0x11);
  report.report_data.fill(0x22);
  platform.sgx_svn.fill(5);
  platform.pce_svn = 11;
  platform.fmspc = {0x90, 0xc0, 0x6f, 0, 0, 0};
  tcb_info = {{"id", "TDX"},
              {"version", 3},
              {"issueDate", date_text(now - 10 * kDay)},
              {"nextUpdate", date_text(now + 20 * kDay)},
              {"fmspc", "90C06F000000"},
              {"pceId", "0000"},
              {"tcbType", 0},
              {"tcbEvaluationDataNumber", 17}};
  json::object base = module("UpToDate");
  base.erase("id");
  base.erase("tcbLevels");
  tcb_info["tdxModule"] = std::move(base);
  qe_identity = {{"id", "TD_QE"},
                 {"version", 2},
                 {"issueDate", date_text(now - 10 * kDay)},
                 {"nextUpdate", date_text(now + 20 * kDay)},
                 {"tcbEvaluationDataNumber", 17},
                 {"miscselect", "00000000"},
                 {"miscselectMask", "FFFFFFFF"},
                 {"attributes", "11000000000000000000000000000000"},
                 {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
                 {"isvprodid", 2}};
  std::string signer;
  for (int at = 0; at < 32; ++at) signer += "DC";
  qe_identity["mrsigner"] = std::move(signer);
  set_status("UpToDate", "UpToDate", "UpToDate");
}

void Recipe::set_status(const char* platform_status, const char* module_status,
                        const char* qe_status) {
  Field<16> sgx{};
  sgx.fill(5);
  const Field<16> tdx = {3, 0, 2};
  json::object level{{"tcb", json::object{{"sgxtcbcomponents", components(sgx)},
                                          {"pcesvn", 11},
                                          {"tdxtcbcomponents", components(tdx)}}},
                     {"tcbDate", "2026-01-01T00:00:00Z"},
                     {"tcbStatus", platform_status},
                     {"advisoryIDs", json::array{"INTEL-SA-1"}}};
  tcb_info["tcbLevels"] = json::array{std::move(level)};
  tcb_info["tdxModuleIdentities"] = json::array{module(module_status)};
  qe_identity["tcbLevels"] = json::array{svn_level(4, qe_status)};
}

MadeEvidence make_evidence(const Recipe& recipe) {
  return Maker(recipe).make();
}

}  // namespace backplane::attestation
