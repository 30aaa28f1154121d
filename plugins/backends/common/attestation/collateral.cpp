// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/collateral.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/attestation/certificate.hpp"
#include "common/attestation/json_fields.hpp"
#include "common/attestation/pem.hpp"
#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Texts as they are; objects as they stand in the document, as that is what is signed.
std::string signed_text(std::string_view document, JsonFields& fields, const json::value& root,
                        std::string_view name) {
  const json::value* value = root.is_object() ? root.get_object().if_contains(name) : nullptr;
  if (value != nullptr && value->is_object()) return std::string(raw_member(document, name));
  return fields.text(name);
}

Bytes read_crl(JsonFields& fields, std::string_view name, std::string& fault) {
  const std::optional<Bytes> der = crl_der(fields.text(name));
  if (!der && fault.empty()) fault = '"' + std::string(name) + "\" must be a CRL in hex or PEM";
  return der.value_or(Bytes{});
}

std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Where the value at `at` ends: before a comma or the end of what holds it.
std::size_t value_end(std::string_view text, std::size_t at) {
  for (std::size_t depth = 0; at < text.size();) {
    const char next = text[at];
    if (next == '"') {
      at = string_end(text, at);
      continue;
    }
    if (depth == 0 && (next == ',' || next == '}' || next == ']')) return at;
    if (next == '{' || next == '[') ++depth;
    if (next == '}' || next == ']') --depth;
    ++at;
  }
  return text.size();
}

}  // namespace

std::optional<Bytes> crl_der(std::string_view text) {
  constexpr char kDerSequence = 0x30;
  const bool is_der = text.starts_with(kDerSequence) && text.size() > 1 && (text[1] & 0x80) != 0;
  if (is_der && text.size() <= kRevocationListBytesMax) return Bytes(text.begin(), text.end());
  if (is_pem(text)) {
    Result<std::vector<Bytes>> blocks = read_pem(text, "X509 CRL");
    if (!blocks || blocks->size() != 1) return std::nullopt;
    return std::move(blocks->front());
  }
  const std::string_view digits = trimmed(text);
  std::optional<Bytes> bytes = from_hex(digits, kRevocationListBytesMax);
  if (!bytes) bytes = from_base64(digits, kRevocationListBytesMax);
  if (!bytes || bytes->empty()) return std::nullopt;
  return bytes;
}

std::string_view raw_member(std::string_view text, std::string_view name) {
  std::string_view found;
  std::size_t at = text.find('{');
  while (at < text.size()) {
    const std::size_t begin = text.find('"', at);
    if (begin == std::string_view::npos) return found;
    const std::size_t end = string_end(text, begin);
    const std::size_t colon = text.find(':', end);
    if (colon == std::string_view::npos) return found;
    at = value_end(text, colon + 1);
    if (text.substr(begin + 1, end - begin - 2) == name) {
      found = trimmed(text.substr(colon + 1, at - colon - 1));
    }
    if (at < text.size() && text[at] == '}') return found;
  }
  return found;
}

Result<Collateral> parse_collateral(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value) return rejected(reason::kCollateralMalformed, "collateral: " + value.error().message);
  std::string fault;
  JsonFields fields(*value, fault);
  Collateral collateral;
  collateral.tcb_info = signed_text(text, fields, *value, "tcb_info");
  collateral.tcb_info_signature = fields.hex<64>("tcb_info_signature");
  collateral.tcb_info_chain = percent_decoded(fields.text("tcb_info_issuer_chain"));
  collateral.qe_identity = signed_text(text, fields, *value, "qe_identity");
  collateral.qe_identity_signature = fields.hex<64>("qe_identity_signature");
  collateral.qe_identity_chain = percent_decoded(fields.text("qe_identity_issuer_chain"));
  collateral.root_crl = read_crl(fields, "root_ca_crl", fault);
  collateral.pck_crl = read_crl(fields, "pck_crl", fault);
  if (!fault.empty()) return rejected(reason::kCollateralMalformed, "collateral: " + fault);
  return collateral;
}

std::string to_json(const Collateral& collateral) {
  return json::serialize(
      json::object{{"tcb_info_issuer_chain", collateral.tcb_info_chain},
                   {"tcb_info", collateral.tcb_info},
                   {"tcb_info_signature", to_hex(collateral.tcb_info_signature)},
                   {"qe_identity_issuer_chain", collateral.qe_identity_chain},
                   {"qe_identity", collateral.qe_identity},
                   {"qe_identity_signature", to_hex(collateral.qe_identity_signature)},
                   {"root_ca_crl", to_hex(collateral.root_crl)},
                   {"pck_crl", to_hex(collateral.pck_crl)}});
}

}  // namespace backplane::attestation
