// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/phala/commands/attest_text.hpp"

#include <algorithm>

#include "common/attestation/json_fields.hpp"
#include "common/attestation/verdict_json.hpp"

namespace backplane::phala {
namespace {

using namespace attestation;

constexpr std::size_t kNameColumns = 18;

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string padded(std::string text) {
  text.resize(std::max(text.size() + 1, kNameColumns), ' ');
  return text;
}

std::string line(const std::string& name, const std::string& value) {
  return "  " + padded(name) + printable(value) + '\n';
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return out.empty() ? "none" : out;
}

std::string head(bool is_accepted, const std::optional<Error>& rejection) {
  if (is_accepted) return "accepted";
  return rejection ? printable("rejected: " + rejection->message + " [" + rejection->type + ']')
                   : "rejected";
}

std::string tcb_text(const QuoteVerdict& verdict) {
  const TcbEvaluation& tcb = *verdict.tcb;
  std::string text(name_of(tcb.status));
  text += " (platform " + std::string(name_of(tcb.platform));
  if (tcb.module) text += ", TDX module " + std::string(name_of(*tcb.module));
  text += ", quoting enclave " + std::string(name_of(tcb.qe)) + "), as of " + tcb.date;
  return text;
}

std::string quote_text(const EvidenceVerdict& each) {
  std::string out = line("quote sha256", to_hex(each.quote.quote_sha256));
  if (each.quote.tcb) {
    out += line("TCB status", tcb_text(each.quote));
    out += line("advisories", joined(each.quote.tcb->advisories));
  }
  if (each.quote.quote) {
    out += line("policy flags", joined(policy_flags(each.quote.quote->report)));
  }
  if (each.quote.expires > 0) out += line("collateral until", date_text(each.quote.expires));
  if (!each.bound.signing_address.empty()) {
    out += line("signing address", each.bound.signing_address);
  }
  return out;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string out = findings.empty() ? "" : " checks\n";
  for (const Finding& finding : findings) {
    std::string outcome(name_of(finding.outcome));
    std::replace(outcome.begin(), outcome.end(), '_', ' ');
    out += line(std::string(finding.name),
                outcome + (finding.note.empty() ? "" : ": ") + finding.note);
  }
  return out;
}

std::string evidence_text(const EvidenceVerdict& each) {
  std::string out =
      '\n' + printable(each.role) + ": " + head(each.is_accepted, each.rejection) + '\n';
  out += quote_text(each) + findings_text(each.findings);
  if (!each.measurements.empty()) {
    out += each.quote.is_genuine ? " measurements\n" : " measurements, not proven\n";
  }
  for (const auto& [name, value] : each.measurements) out += line(name, value);
  return out;
}

}  // namespace

std::string verdict_text(const ReportVerdict& verdict) {
  std::string out = head(verdict.is_accepted, verdict.rejection) + '\n';
  if (!verdict.shape.empty()) {
    out += line("report", verdict.shape + ", " + std::to_string(verdict.evidences.size()) +
                              " quote(s), at " + date_text(verdict.unix_time));
  }
  for (const EvidenceVerdict& each : verdict.evidences) out += evidence_text(each);
  return out;
}

std::string verdict_text(const receipts::Receipt& receipt,
                         const receipts::ReceiptVerdict& verdict) {
  std::string out = head(verdict.is_accepted, verdict.rejection) + '\n';
  out += line("request id", receipt.request_id) + line("chat id", receipt.chat_id) +
         line("model", receipt.model) + line("answered at", date_text(receipt.unix_time)) +
         line("attested at", date_text(receipt.attestation.unix_time));
  out += findings_text(verdict.findings);
  for (const EvidenceVerdict& each : verdict.attestation.evidences) out += evidence_text(each);
  return out;
}

}  // namespace backplane::phala
