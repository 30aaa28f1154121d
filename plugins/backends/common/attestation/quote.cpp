// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/quote.hpp"

#include "common/attestation/byte_reader.hpp"
#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

constexpr std::size_t kTd10BodyBytes = 584;
constexpr std::size_t kTd15BodyBytes = 648;
constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint32_t kTeeSgx = 0;
constexpr std::uint32_t kTeeTdx = 0x81;
constexpr Field<16> kIntelQeVendor = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
enum BodyType : std::uint16_t { kSgxBody = 1, kTd10Body = 2, kTd15Body = 3 };
enum CertificationType : std::uint16_t { kPckChain = 5, kQeReportCertification = 6 };

Error malformed(const std::string& what) {
  return rejected(reason::kQuoteMalformed, "the quote " + what);
}

Error other_tee(const std::string& what) {
  return rejected(reason::kTeeType, "this is " + what + "; only quotes of TDX are taken");
}

struct Header {
  std::uint16_t version = 0;
  std::uint16_t key_type = 0;
  std::uint32_t tee_type = 0;
  Field<16> qe_vendor{};
};

Header read_header(ByteReader& reader) {
  Header header;
  header.version = reader.u16();
  header.key_type = reader.u16();
  header.tee_type = reader.u32();
  reader.skip(4);
  reader.read(header.qe_vendor);
  reader.skip(20);
  return header;
}

Status check_header(const Header& header) {
  if (header.version == 3) return other_tee("a quote of version 3, made by SGX");
  if (header.version != 4 && header.version != 5) {
    return malformed("has version " + std::to_string(header.version) + "; 4 and 5 are known");
  }
  if (header.tee_type == kTeeSgx) return other_tee("a quote of an SGX enclave");
  if (header.tee_type != kTeeTdx) return malformed("has an unknown TEE type");
  if (header.key_type != kEcdsaP256) return malformed("is not signed by ECDSA P-256");
  if (header.qe_vendor != kIntelQeVendor) return malformed("is of a foreign quoting enclave");
  return ok();
}

// The bytes of the body; `is_td15` says which.
Result<std::size_t> read_body_size(ByteReader& reader, std::uint16_t version, bool& is_td15) {
  if (version == 4) return kTd10BodyBytes;
  const std::uint16_t type = reader.u16();
  const std::uint32_t size = reader.u32();
  if (reader.is_short()) return malformed("ends before its body");
  if (type == kSgxBody) return other_tee("a quote with the report of an SGX enclave");
  if (type != kTd10Body && type != kTd15Body) return malformed("has an unknown type of body");
  is_td15 = type == kTd15Body;
  const std::size_t expected = is_td15 ? kTd15BodyBytes : kTd10BodyBytes;
  if (size != expected) return malformed("has a body of the wrong size");
  return expected;
}

TdReport read_report(ByteReader& reader, bool is_td15) {
  TdReport report;
  report.is_td15 = is_td15;
  reader.read(report.tee_tcb_svn);
  reader.read(report.mr_seam);
  reader.read(report.mr_signer_seam);
  reader.read(report.seam_attributes);
  reader.read(report.td_attributes);
  reader.read(report.xfam);
  reader.read(report.mr_td);
  reader.read(report.mr_config_id);
  reader.read(report.mr_owner);
  reader.read(report.mr_owner_config);
  for (Field<48>& rtmr : report.rtmr) reader.read(rtmr);
  reader.read(report.report_data);
  if (!is_td15) return report;
  reader.read(report.tee_tcb_svn2);
  reader.read(report.mr_service_td);
  return report;
}

QeReport read_qe_report(const Field<384>& bytes) {
  QeReport report;
  ByteReader reader(bytes);
  reader.skip(16);
  reader.read(report.misc_select);
  reader.skip(28);
  reader.read(report.attributes);
  reader.read(report.mr_enclave);
  reader.skip(32);
  reader.read(report.mr_signer);
  reader.skip(96);
  report.isv_prod_id = reader.u16();
  report.isv_svn = reader.u16();
  reader.skip(60);
  reader.read(report.report_data);
  return report;
}

Status read_certification(ByteReader& reader, Quote& quote) {
  reader.read(quote.qe_report_bytes);
  reader.read(quote.qe_report_signature);
  const BytesView authentication = reader.take(reader.u16());
  const std::uint16_t type = reader.u16();
  const std::uint32_t size = reader.u32();
  if (reader.is_short()) return malformed("ends within the quoting enclave's part");
  if (type != kPckChain) return malformed("does not carry its PCK certificate chain");
  if (size != reader.left()) return malformed("has a certificate chain of the wrong size");
  quote.qe_report = read_qe_report(quote.qe_report_bytes);
  quote.qe_authentication_data.assign(authentication.begin(), authentication.end());
  quote.pck_chain = text_of(reader.take(size));
  return ok();
}

Status read_signature(BytesView bytes, Quote& quote) {
  ByteReader reader(bytes);
  reader.read(quote.signature);
  reader.read(quote.attestation_key);
  const std::uint16_t type = reader.u16();
  const std::uint32_t size = reader.u32();
  if (reader.is_short()) return malformed("ends within its signature");
  if (type != kQeReportCertification) return malformed("has an unknown type of certification");
  if (size != reader.left()) return malformed("has certification data of the wrong size");
  return read_certification(reader, quote);
}

}  // namespace

Result<Quote> parse_quote(BytesView bytes) {
  if (bytes.size() > kQuoteBytesMax) return malformed("is longer than 64 KiB");
  ByteReader reader(bytes);
  const Header header = read_header(reader);
  if (reader.is_short()) return malformed("is shorter than its header");
  if (const Status status = check_header(header); !status) return status.error();
  Quote quote;
  quote.version = header.version;
  bool is_td15 = false;
  const Result<std::size_t> body_bytes = read_body_size(reader, header.version, is_td15);
  if (!body_bytes) return body_bytes.error();
  quote.report = read_report(reader, is_td15);
  if (reader.is_short()) return malformed("ends within its body");
  const BytesView signed_part = bytes.first(bytes.size() - reader.left());
  quote.signed_part.assign(signed_part.begin(), signed_part.end());
  const BytesView signature = reader.take(reader.u32());
  if (reader.is_short()) return malformed("ends within its signature data");
  quote.trailing_bytes = reader.left();
  if (const Status status = read_signature(signature, quote); !status) return status.error();
  return quote;
}

}  // namespace backplane::attestation
