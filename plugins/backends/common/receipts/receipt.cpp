// SPDX-License-Identifier: Apache-2.0
#include "common/receipts/receipt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "common/attestation/json_fields.hpp"

namespace backplane::receipts {
namespace {

namespace json = boost::json;
using attestation::JsonFields;

constexpr std::uint64_t kBytesMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kTimeMax = 253'402'300'799;  // the year 9999

json::object attestation_json(const AttestationFacts& facts) {
  json::array advisories;
  for (const std::string& advisory : facts.advisories) advisories.emplace_back(advisory);
  json::object measurements;
  for (const auto& [name, value] : facts.measurements) measurements[name] = value;
  return {{"policy", facts.policy},
          {"verdict", facts.verdict},
          {"reason", facts.reason},
          {"message", facts.message},
          {"time", facts.unix_time},
          {"nonce", facts.nonce},
          {"quote_sha256", facts.quote_sha256},
          {"tcb_status", facts.tcb_status},
          {"advisories", std::move(advisories)},
          {"signing_algorithm", facts.signing_algorithm},
          {"signing_address", facts.signing_address},
          {"signing_key", facts.signing_key},
          {"measurements", std::move(measurements)},
          {"evidence", facts.evidence}};
}

json::object signature_json(const SignatureFacts& facts) {
  return {{"policy", facts.policy},       {"verdict", facts.verdict},
          {"reason", facts.reason},       {"message", facts.message},
          {"text", facts.text},           {"signature", facts.signature},
          {"algorithm", facts.algorithm}, {"signed_by", facts.signed_by}};
}

json::object bytes_json(const HashedBytes& bytes) {
  return {{"sha256", bytes.sha256}, {"bytes", bytes.size}};
}

std::map<std::string, std::string> read_measurements(const json::value& value, std::string& fault) {
  std::map<std::string, std::string> read;
  const json::object* object = value.if_object();
  if (object == nullptr || object->size() > kMeasurementsMax) {
    if (fault.empty()) fault = "measurements: expected an object of few members";
    return read;
  }
  for (const auto& [name, each] : *object) {
    if (each.is_string()) {
      read.emplace(std::string(name), std::string(each.get_string()));
    } else if (fault.empty()) {
      fault = "measurements: expected texts";
    }
  }
  return read;
}

AttestationFacts read_attestation(const json::value& value, std::string& fault) {
  JsonFields fields(value, fault);
  AttestationFacts facts;
  facts.policy = fields.text("policy");
  facts.verdict = fields.text("verdict");
  facts.reason = fields.text("reason");
  facts.message = fields.text("message");
  facts.unix_time = static_cast<std::int64_t>(fields.number("time", kTimeMax));
  facts.nonce = fields.text("nonce");
  facts.quote_sha256 = fields.text("quote_sha256");
  facts.tcb_status = fields.text("tcb_status");
  facts.advisories = fields.texts("advisories", kAdvisoriesMax);
  facts.signing_algorithm = fields.text("signing_algorithm");
  facts.signing_address = fields.text("signing_address");
  facts.signing_key = fields.text("signing_key");
  facts.measurements = read_measurements(fields.object("measurements"), fault);
  const json::value& evidence = fields.object("evidence");
  if (evidence.is_object()) facts.evidence = evidence.get_object();
  return facts;
}

SignatureFacts read_signature(const json::value& value, std::string& fault) {
  JsonFields fields(value, fault);
  SignatureFacts facts;
  facts.policy = fields.text("policy");
  facts.verdict = fields.text("verdict");
  facts.reason = fields.text("reason");
  facts.message = fields.text("message");
  facts.text = fields.text("text");
  facts.signature = fields.text("signature");
  facts.algorithm = fields.text("algorithm");
  facts.signed_by = fields.text("signed_by");
  return facts;
}

HashedBytes read_bytes(const json::value& value, std::string& fault) {
  JsonFields fields(value, fault);
  return {fields.text("sha256"), fields.number("bytes", kBytesMax)};
}

}  // namespace

std::string to_json(const Receipt& receipt) {
  json::object document{{"version", kVersion},
                        {"verdict", receipt.is_accepted() ? "accepted" : "not_proven"},
                        {"request_id", receipt.request_id},
                        {"chat_id", receipt.chat_id},
                        {"model", receipt.model},
                        {"time", receipt.unix_time},
                        {"request", bytes_json(receipt.request)},
                        {"response", bytes_json(receipt.response)},
                        {"attestation", attestation_json(receipt.attestation)},
                        {"signature", signature_json(receipt.signature)}};
  std::string text = json::serialize(document);
  if (text.size() <= kReceiptBytesMax) return text;
  document["attestation"].get_object()["evidence"] = json::object();
  text = json::serialize(document);
  return text.size() <= kReceiptBytesMax ? text : std::string();
}

Result<Receipt> read_receipt(std::string_view text) {
  if (text.size() > kReceiptBytesMax) {
    return invalid_argument("the receipt is larger than 64 KiB");
  }
  const Result<json::value> document = attestation::parse_json(text);
  if (!document || !document->is_object()) {
    return invalid_argument("the receipt is not a JSON object");
  }
  std::string fault;
  JsonFields fields(*document, fault);
  if (fields.number("version", 1'000'000) != kVersion && fault.empty()) {
    return invalid_argument("the receipt is of another version than " + std::to_string(kVersion));
  }
  Receipt receipt;
  receipt.request_id = fields.text("request_id");
  receipt.chat_id = fields.text("chat_id");
  receipt.model = fields.text("model");
  receipt.unix_time = static_cast<std::int64_t>(fields.number("time", kTimeMax));
  receipt.request = read_bytes(fields.object("request"), fault);
  receipt.response = read_bytes(fields.object("response"), fault);
  receipt.attestation = read_attestation(fields.object("attestation"), fault);
  receipt.signature = read_signature(fields.object("signature"), fault);
  if (!fault.empty()) return invalid_argument("the receipt cannot be read: " + fault);
  return receipt;
}

}  // namespace backplane::receipts
