// SPDX-License-Identifier: Apache-2.0
// Reports as providers send them, around quotes that are made for them.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "common/attestation/report_verifier.hpp"
#include "common/sealing/keccak.hpp"
#include "tests/plugins/backends/common/attestation/made_evidence.hpp"
#include "tests/plugins/backends/common/attestation/verdicts.hpp"

namespace backplane::attestation {

inline constexpr std::string_view kAppCompose = R"({"name":"app","runner":"docker-compose"})";

struct MadeReport {
  boost::json::object document;
  Collateral collateral;
  ReportOptions options;

  ReportVerdict verify() const { return verify_text(boost::json::serialize(document)); }
  ReportVerdict verify_text(const std::string& text) const {
    return attestation::verify_text(text, collateral, options);
  }
};

// X‖Y of a signing key; that it is on no curve does not matter to whom it is bound.
inline Field<64> made_key() {
  Field<64> key{};
  for (std::size_t at = 0; at < key.size(); ++at) key[at] = static_cast<std::uint8_t>(at + 4);
  return key;
}

inline Field<32> made_nonce() {
  Field<32> nonce{};
  nonce.fill(0xab);
  return nonce;
}

inline boost::json::array made_event_log() {
  const auto runtime = [](const char* name, const std::string& payload) {
    return boost::json::object{{"imr", 3},
                               {"event_type", 0x08000001},
                               {"digest", ""},
                               {"event", name},
                               {"event_payload", payload}};
  };
  boost::json::array log;
  for (int imr = 0; imr < 3; ++imr) {
    log.push_back(boost::json::object{{"imr", imr},
                                      {"event_type", 4},
                                      {"digest", std::string(96, static_cast<char>('a' + imr))},
                                      {"event", ""},
                                      {"event_payload", ""}});
  }
  log.push_back(runtime("app-id", "c0ffee"));
  log.push_back(runtime("compose-hash", to_hex(sha256(bytes_of(kAppCompose)))));
  log.push_back(runtime("system-ready", ""));
  return log;
}

inline Field<64> report_data_of(BytesView first, BytesView second) {
  Field<64> data{};
  std::copy(first.begin(), first.end(), data.begin());
  std::copy(second.begin(), second.end(), data.begin() + 32);
  return data;
}

inline std::string made_gpu_evidence(const Field<32>& nonce) {
  boost::json::object gpu{{"certificate", "LS0t"}, {"arch", "HOPPER"}};
  // 11 e0 01 ff, the nonce and two bytes more: 38 bytes are 52 digits.
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Bytes bytes = {0x11, 0xe0, 0x01, 0xff};
  bytes.insert(bytes.end(), nonce.begin(), nonce.end());
  bytes.resize(39);
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const unsigned bits =
        static_cast<unsigned>(bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) text += kDigits[bits >> shift & 63];
  }
  gpu["evidence"] = text;
  return boost::json::serialize(boost::json::object{
      {"nonce", to_hex(nonce)}, {"arch", "HOPPER"}, {"evidence_list", boost::json::array{gpu}}});
}

// As Venice answers, asked with made_nonce(). `report_data`: what the quote has instead of the
// address of made_key() and the nonce.
inline MadeReport make_flat_report(Recipe recipe = {},
                                   std::optional<Field<64>> report_data = std::nullopt) {
  const Field<64> key = made_key();
  const sealing::EthereumAddress address = sealing::ethereum_address(key);
  const Result<std::vector<Event>> events = read_event_log(made_event_log());
  recipe.report.rtmr = replayed(*events);
  recipe.report.report_data = report_data.value_or(report_data_of(address, made_nonce()));
  const MadeEvidence made = make_evidence(recipe);
  const std::string nonce = to_hex(made_nonce());
  MadeReport report;
  report.collateral = made.collateral;
  report.options.quote = made.options;
  report.document = {
      {"model", "some-model"},
      {"intel_quote", to_hex(made.quote)},
      {"signing_algo", "ecdsa"},
      {"signing_address", "0x" + to_hex(address)},
      {"signing_public_key", "04" + to_hex(key)},
      {"request_nonce", nonce},
      {"nonce", nonce},
      {"nvidia_payload", made_gpu_evidence(made_nonce())},
      {"event_log", boost::json::serialize(made_event_log())},
      {"info",
       boost::json::object{{"tcb_info", boost::json::object{{"app_compose", kAppCompose}}}}}};
  return report;
}

}  // namespace backplane::attestation
