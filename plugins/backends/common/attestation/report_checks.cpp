// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/report_checks.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

constexpr std::size_t kGpusMax = 256;
constexpr std::size_t kGpuEvidenceBytesMax = 1024 * 1024;

void passed(EvidenceVerdict& out, std::string_view name, std::string note = {}) {
  out.findings.push_back({name, Outcome::kPassed, std::move(note)});
}

void not_checked(EvidenceVerdict& out, std::string_view name, std::string note) {
  out.findings.push_back({name, Outcome::kNotChecked, std::move(note)});
}

Status failed(EvidenceVerdict& out, std::string_view name, std::string_view type,
              std::string message) {
  out.findings.push_back({name, Outcome::kFailed, message});
  return rejected(type, std::move(message));
}

std::string lower_hex(std::string_view text) {
  const std::optional<Bytes> bytes = from_hex(text, 1024);
  return bytes ? to_hex(*bytes) : std::string();
}

Status check_events(const Evidence& evidence, EvidenceVerdict& out) {
  if (!evidence.events) {
    not_checked(out, "event_log", "the report has none");
    return ok();
  }
  Status status = check_replay(*evidence.events, out.quote.quote->report.rtmr);
  if (!status) return failed(out, "event_log", reason::kEventLog, status.error().message);
  passed(out, "event_log", "replayed into the four registers of the quote");
  for (const auto& [event, name] :
       {std::pair("compose-hash", "compose_hash"), std::pair("os-image-hash", "os_image_hash"),
        std::pair("app-id", "app_id"), std::pair("instance-id", "instance_id")}) {
    const std::optional<Bytes> payload = payload_of(*evidence.events, event);
    if (payload) out.measurements[name] = to_hex(*payload);
  }
  return ok();
}

// The configuration's hash in a quote of a domain that was started with it.
std::optional<std::string> configured_hash(const TdReport& report) {
  const BytesView id(report.mr_config_id);
  if (id[0] != 1 || !is_zero(id.subspan(33))) return std::nullopt;
  return to_hex(id.subspan(1, 32));
}

Status check_compose(const Evidence& evidence, EvidenceVerdict& out) {
  const auto measured = out.measurements.find("compose_hash");
  const std::optional<std::string> configured = configured_hash(out.quote.quote->report);
  const auto differs = [&](const std::string& what) {
    return failed(out, "compose_hash", reason::kComposeHash, "the app's configuration " + what);
  };
  const std::string said = lower_hex(evidence.compose_hash);
  const std::string shown =
      evidence.app_compose.empty() ? "" : to_hex(sha256(bytes_of(evidence.app_compose)));
  if (!shown.empty() && !said.empty() && shown != said) {
    return differs("does not have the hash that the report says");
  }
  const std::string hash = shown.empty() ? said : shown;
  const bool is_measured = measured != out.measurements.end();
  if (is_measured && configured && measured->second != *configured) {
    return differs("in the event log is not the one of mr_config_id");
  }
  if (hash.empty()) {
    not_checked(out, "compose_hash", "the report does not show the app's configuration");
    return ok();
  }
  if (!is_measured && !configured) {
    not_checked(out, "compose_hash", "neither the event log nor mr_config_id measures it");
    return ok();
  }
  if (hash != (is_measured ? measured->second : *configured)) return differs("was not measured");
  passed(out, "compose_hash",
         std::string(shown.empty() ? "hash" : "configuration") + " as measured by " +
             (is_measured ? (configured ? "event log and mr_config_id" : "event log")
                          : "mr_config_id"));
  out.measurements["compose_hash"] = hash;
  return ok();
}

std::string text_at(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// The nonce of the request to which a GPU's evidence is the answer (SPDM, GET_MEASUREMENTS).
std::optional<std::string> nonce_of_gpu(const json::value& gpu) {
  const std::optional<Bytes> evidence = from_base64(text_at(gpu, "evidence"), kGpuEvidenceBytesMax);
  const bool is_request =
      evidence && evidence->size() >= 36 && (*evidence)[0] == 0x11 && (*evidence)[1] == 0xe0;
  if (!is_request) return std::nullopt;
  return to_hex(BytesView(*evidence).subspan(4, 32));
}

Status check_gpu_list(const json::value& payload, const std::string& nonce, EvidenceVerdict& out) {
  const json::object* object = payload.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains("evidence_list");
  const json::array* gpus = found == nullptr ? nullptr : found->if_array();
  if (gpus == nullptr || gpus->empty() || gpus->size() > kGpusMax) {
    return failed(out, "gpu_nonce", reason::kGpuNonce, "the GPUs' evidence cannot be read");
  }
  std::size_t answers = 0;
  for (const json::value& gpu : *gpus) {
    const std::optional<std::string> asked = nonce_of_gpu(gpu);
    if (asked && *asked != nonce) {
      return failed(out, "gpu_nonce", reason::kGpuNonce, "a GPU answered another nonce");
    }
    if (asked) ++answers;
  }
  passed(out, "gpu_nonce",
         "the quote's; it stands in the evidence of " + std::to_string(answers) + " of " +
             std::to_string(gpus->size()) + " GPU(s)");
  return ok();
}

}  // namespace

Status check_model(const Evidence& evidence, const ReportOptions& options, EvidenceVerdict& out) {
  const bool names_one = evidence.role == "model" || evidence.role == "replica";
  if (options.model.empty() || !names_one) return ok();
  if (evidence.model.empty()) {
    not_checked(out, "model", "the report does not name it");
    return ok();
  }
  if (evidence.model != options.model) {
    return failed(out, "model", reason::kModel, "the report is about another model");
  }
  passed(out, "model", "as the report names it, which no quote binds");
  return ok();
}

Status check_software(const Evidence& evidence, EvidenceVerdict& out) {
  Status status = check_events(evidence, out);
  return status ? check_compose(evidence, out) : status;
}

Status check_gpu(const Evidence& evidence, EvidenceVerdict& out) {
  if (!evidence.has_gpu_evidence) return ok();
  not_checked(out, "gpu_evidence", "NVIDIA's signatures are not verified here");
  if (evidence.nvidia_payload.is_null()) {
    not_checked(out, "gpu_nonce", "the GPUs' evidence is of another form");
    return ok();
  }
  const std::string nonce = lower_hex(text_at(evidence.nvidia_payload, "nonce"));
  const std::string bound = lower_hex(out.bound.nonce);
  if (bound.empty()) {
    not_checked(out, "gpu_nonce", "the quote binds no nonce");
    return ok();
  }
  if (nonce != bound) {
    return failed(out, "gpu_nonce", reason::kGpuNonce,
                  "the GPUs' evidence has another nonce than the quote");
  }
  return check_gpu_list(evidence.nvidia_payload, nonce, out);
}

Status check_actions(const Evidence& evidence, EvidenceVerdict& out) {
  if (evidence.binding != Binding::kActions) return ok();
  const std::string text = json::serialize(evidence.actions);
  if (to_hex(sha256(bytes_of(text))) == lower_hex(evidence.actions_hash)) {
    passed(out, "actions_hash");
  } else {
    not_checked(out, "actions_hash", "the actions are not shown as they were hashed");
  }
  return ok();
}

Status check_allowed(const ReportOptions& options, EvidenceVerdict& out) {
  for (const auto& [name, values] : options.allowed) {
    const auto found = out.measurements.find(name);
    if (found == out.measurements.end()) {
      return failed(out, "measurements", reason::kMeasurement, "there is no measured " + name);
    }
    const bool is_allowed = std::any_of(values.begin(), values.end(), [&](const auto& value) {
      return lower_hex(value) == found->second;
    });
    if (is_allowed) continue;
    return failed(out, "measurements", reason::kMeasurement,
                  name + " " + found->second + " is not one of those allowed");
  }
  if (!options.allowed.empty()) passed(out, "measurements", "each is one of those allowed");
  return ok();
}

}  // namespace backplane::attestation
