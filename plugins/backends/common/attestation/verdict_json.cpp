// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/verdict_json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "common/attestation/json_fields.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& values) {
  json::array array;
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

void add_verdict(json::object& out, bool is_accepted, const std::optional<Error>& rejection) {
  out["verdict"] = is_accepted ? "accepted" : "rejected";
  out["accepted"] = is_accepted;
  out["reason"] = rejection ? json::value(rejection->type) : json::value();
  out["message"] = rejection ? json::value(rejection->message) : json::value();
}

json::value tcb_json(const QuoteVerdict& verdict) {
  if (!verdict.tcb) return {};
  const TcbEvaluation& tcb = *verdict.tcb;
  return json::object{{"status", name_of(tcb.status)},
                      {"platform", name_of(tcb.platform)},
                      {"module", tcb.module ? json::value(name_of(*tcb.module)) : json::value()},
                      {"qe", name_of(tcb.qe)},
                      {"date", tcb.date},
                      {"advisories", texts(tcb.advisories)},
                      {"evaluation_number", verdict.evaluation_number}};
}

json::object attributes_json(const TdAttributes& attributes) {
  return {{"debug", attributes.debug},           {"sept_ve_disable", attributes.sept_ve_disable},
          {"migratable", attributes.migratable}, {"protection_keys", attributes.protection_keys},
          {"key_locker", attributes.key_locker}, {"perfmon", attributes.perfmon},
          {"reserved", attributes.reserved}};
}

void add_quote(json::object& out, const QuoteVerdict& verdict) {
  out["genuine"] = verdict.is_genuine;
  out["quote_sha256"] = to_hex(verdict.quote_sha256);
  out["tcb"] = tcb_json(verdict);
  out["collateral_expires"] =
      verdict.expires > 0 ? json::value(date_text(verdict.expires)) : json::value();
  out["fmspc"] = verdict.platform ? json::value(to_hex(verdict.platform->fmspc)) : json::value();
  if (!verdict.quote) return;
  const TdReport& report = verdict.quote->report;
  out["quote_version"] = verdict.quote->version;
  out["td_attributes"] = attributes_json(attributes_of(report.td_attributes));
  out["policy_flags"] = texts(policy_flags(report));
}

json::object bound_json(const Bound& bound) {
  return {{"method", text_or_null(bound.method)},
          {"signing_algorithm", text_or_null(bound.signing_algorithm)},
          {"signing_address", text_or_null(bound.signing_address)},
          {"signing_key", text_or_null(bound.signing_key)},
          {"nonce", text_or_null(bound.nonce)},
          {"nonce_method", text_or_null(bound.nonce_method)}};
}

// Of a quote that is not genuine these are claims, and called so.
std::string_view measurements_name(const EvidenceVerdict& verdict) {
  return verdict.quote.is_genuine ? "measurements" : "claimed_measurements";
}

json::object measurements_json(const EvidenceVerdict& verdict) {
  json::object object;
  for (const auto& [name, value] : verdict.measurements) object[name] = value;
  return object;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  if (outcome == Outcome::kPassed) return "passed";
  return outcome == Outcome::kFailed ? "failed" : "not_checked";
}

json::object to_json(const EvidenceVerdict& verdict) {
  json::object out{{"role", verdict.role}};
  add_verdict(out, verdict.is_accepted, verdict.rejection);
  add_quote(out, verdict.quote);
  out["bound"] = bound_json(verdict.bound);
  json::array checks;
  for (const Finding& finding : verdict.findings) {
    checks.push_back(json::object{
        {"name", finding.name}, {"outcome", name_of(finding.outcome)}, {"note", finding.note}});
  }
  out["checks"] = std::move(checks);
  out[measurements_name(verdict)] = measurements_json(verdict);
  return out;
}

const EvidenceVerdict* leading(const ReportVerdict& verdict) {
  if (verdict.evidences.empty()) return nullptr;
  const auto found = std::find_if(verdict.evidences.begin(), verdict.evidences.end(),
                                  [](const EvidenceVerdict& each) { return !each.is_accepted; });
  return found == verdict.evidences.end() ? &verdict.evidences.front() : &*found;
}

json::object to_json(const ReportVerdict& verdict) {
  json::object out;
  add_verdict(out, verdict.is_accepted, verdict.rejection);
  out["shape"] = text_or_null(verdict.shape);
  out["time"] = verdict.unix_time;
  const EvidenceVerdict* first = leading(verdict);
  const bool has_tcb = first != nullptr && first->quote.tcb.has_value();
  out["tcb_status"] = has_tcb ? json::value(name_of(first->quote.tcb->status)) : json::value();
  out["advisories"] = has_tcb ? texts(first->quote.tcb->advisories) : json::array();
  const bool has_quote = first != nullptr && first->quote.quote.has_value();
  out["policy_flags"] = has_quote ? texts(policy_flags(first->quote.quote->report)) : json::array();
  if (has_quote) out[measurements_name(*first)] = measurements_json(*first);
  json::array evidences;
  for (const EvidenceVerdict& each : verdict.evidences) evidences.push_back(to_json(each));
  out["evidences"] = std::move(evidences);
  return out;
}

}  // namespace backplane::attestation
