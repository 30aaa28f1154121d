// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/report.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "common/attestation/json_fields.hpp"
#include "common/attestation/quote.hpp"
#include "common/attestation/reason.hpp"
#include "common/sealing/keccak.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

Error malformed(const std::string& what) {
  return rejected(reason::kReportMalformed, "the report " + what);
}

const json::value* find(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

// The first of `names` that is a text.
std::string text(const json::value& value, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const json::value* found = find(value, name);
    if (found != nullptr && found->is_string()) return std::string(found->get_string());
  }
  return {};
}

// A member that is an object, or the text of one.
json::value object_at(const json::value& value, std::string_view name) {
  const json::value* found = find(value, name);
  if (found == nullptr) return {};
  if (!found->is_string()) return *found;
  const Result<json::value> parsed = parse_json(found->get_string());
  return parsed ? *parsed : json::value();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Status read_quote(const json::value& value, std::initializer_list<std::string_view> names,
                  Evidence& evidence) {
  std::optional<Bytes> quote = quote_bytes(text(value, names));
  if (!quote) {
    return malformed("has no quote in hex or base64 where its " + evidence.role +
                     " evidence should have one");
  }
  evidence.quote = std::move(*quote);
  return ok();
}

Status read_events(const json::value& value, Evidence& evidence) {
  const json::value* log = find(value, "event_log");
  if (log == nullptr) return ok();
  Result<std::vector<Event>> events = read_event_log(*log);
  if (!events) return events.error();
  evidence.events = std::move(*events);
  return ok();
}

// What a dstack machine says of itself: `info`, and in it `tcb_info`.
Status read_info(const json::value& value, Evidence& evidence) {
  const json::value info = object_at(value, "info");
  const json::value tcb = object_at(info, "tcb_info");
  evidence.app_compose = text(tcb, {"app_compose"});
  evidence.compose_hash = text(tcb, {"compose_hash"});
  if (evidence.compose_hash.empty()) evidence.compose_hash = text(info, {"compose_hash"});
  return evidence.events ? ok() : read_events(tcb, evidence);
}

void read_gpu(const json::value& value, Evidence& evidence) {
  const json::value* payload = find(value, "nvidia_payload");
  const json::value* gpus = find(value, "gpu_evidence");
  evidence.has_gpu_evidence = payload != nullptr || gpus != nullptr;
  if (payload != nullptr) evidence.nvidia_payload = object_at(value, "nvidia_payload");
}

Result<Evidence> read_flat(const json::value& value, std::string role) {
  Evidence evidence;
  evidence.role = std::move(role);
  if (Status status = read_quote(value, {"intel_quote", "quote"}, evidence); !status) {
    return status.error();
  }
  evidence.model = text(value, {"model", "model_name"});
  evidence.nonce = text(value, {"request_nonce", "nonce"});
  evidence.signing_algorithm = text(value, {"signing_algo"});
  evidence.signing_address = text(value, {"signing_address"});
  evidence.signing_key = text(value, {"signing_public_key", "signing_key"});
  evidence.tls_fingerprint = text(value, {"tls_cert_fingerprint"});
  const bool has_key = !evidence.signing_address.empty() || !evidence.signing_key.empty();
  evidence.binding = has_key ? Binding::kSigningKey : Binding::kNone;
  read_gpu(value, evidence);
  if (Status status = read_events(value, evidence); !status) return status.error();
  if (Status status = read_info(value, evidence); !status) return status.error();
  return evidence;
}

Result<Evidence> read_compose_manager(const json::value& value) {
  Evidence evidence;
  evidence.role = "compose_manager";
  evidence.binding = Binding::kActions;
  if (Status status = read_quote(value, {"quote", "intel_quote"}, evidence); !status) {
    return status.error();
  }
  evidence.nonce = text(value, {"nonce"});
  evidence.actions_hash = text(value, {"actions_hash"});
  evidence.report_data = text(value, {"report_data"});
  if (const json::value* actions = find(value, "actions")) evidence.actions = *actions;
  if (Status status = read_events(value, evidence); !status) return status.error();
  return evidence;
}

class ReportReader {
 public:
  Result<Report> read(const json::value& value) {
    const Status status = read_any(value);
    if (!status) return status.error();
    if (report_.evidences.empty()) return malformed("has no quote");
    return std::move(report_);
  }

 private:
  Status read_any(const json::value& value) {
    if (value.is_array() && !value.get_array().empty() && value.get_array()[0].is_array()) {
      return rejected(reason::kNotQuote,
                      "this is NVIDIA's answer about a GPU: it has no quote of TDX");
    }
    if (!value.is_object()) return malformed("is not an object");
    const json::value* inner = find(value, "attestation");
    if (text(value, {"api_version"}).starts_with("aci/")) return read_aci(value);
    if (find(value, "gateway_attestation") != nullptr ||
        find(value, "model_attestations") != nullptr) {
      return read_gateway(value);
    }
    if (text(value, {"attestation_type"}) == "chutes") return read_chutes(value);
    const bool has_quote = find(value, "intel_quote") != nullptr || find(value, "quote") != nullptr;
    if (!has_quote && inner != nullptr && inner->is_object()) return read_any(*inner);
    const json::value* quote = find(value, "quote");
    if (quote != nullptr && quote->is_object()) return read_dstack(value, *quote);
    return read_flat_shape(value);
  }

  Status add(Result<Evidence> evidence) {
    if (!evidence) return evidence.error();
    if (report_.evidences.size() == kEvidencesMax) return malformed("has too many quotes");
    report_.evidences.push_back(std::move(*evidence));
    return ok();
  }

  Status add_item(const json::value& value, const std::string& role) {
    if (Status status = add(read_flat(value, role)); !status) return status;
    const json::value* manager = find(value, "compose_manager_attestation");
    return manager == nullptr ? ok() : add(read_compose_manager(*manager));
  }

  Status add_items(const json::value& value, std::string_view name, const std::string& role) {
    const json::value* items = find(value, name);
    if (items == nullptr) return ok();
    if (!items->is_array()) return malformed("has no list in \"" + std::string(name) + '"');
    for (const json::value& item : items->get_array()) {
      if (Status status = add_item(item, role); !status) return status;
    }
    return ok();
  }

  Status read_flat_shape(const json::value& value) {
    const bool has_key = find(value, "signing_address") != nullptr ||
                         !text(value, {"signing_public_key", "signing_key"}).empty();
    report_.shape = has_key || find(value, "intel_quote") != nullptr ? "flat" : "dstack";
    const bool has_own = !text(value, {"intel_quote", "quote"}).empty();
    if (has_own || find(value, "all_attestations") == nullptr) {
      if (Status status = add_item(value, has_key ? "model" : "quote"); !status) return status;
      Evidence& own = report_.evidences.front();
      if (own.binding == Binding::kNone) own.report_data = text(value, {"report_data"});
    }
    return add_items(value, "all_attestations", "replica");
  }

  // {info, quote: {quote, event_log}}
  Status read_dstack(const json::value& value, const json::value& quote) {
    report_.shape = "dstack";
    Result<Evidence> evidence = read_flat(quote, "quote");
    if (!evidence) return evidence.error();
    if (Status status = read_info(value, *evidence); !status) return status;
    evidence->report_data = text(quote, {"report_data"});
    return add(std::move(evidence));
  }

  Status read_gateway(const json::value& value) {
    report_.shape = "gateway";
    if (const json::value* gateway = find(value, "gateway_attestation")) {
      if (Status status = add_item(*gateway, "gateway"); !status) return status;
    }
    return add_items(value, "model_attestations", "model");
  }

  Status read_chutes(const json::value& value) {
    report_.shape = "chutes";
    const json::value* items = find(value, "all_attestations");
    if (items == nullptr || !items->is_array()) return malformed("has no list of instances");
    for (const json::value& item : items->get_array()) {
      Evidence evidence;
      evidence.role = "instance";
      evidence.binding = Binding::kChutes;
      if (Status status = read_quote(item, {"intel_quote"}, evidence); !status) return status;
      evidence.nonce = text(item, {"nonce"});
      evidence.e2e_key = text(item, {"e2e_pubkey"});
      read_gpu(item, evidence);
      if (Status status = add(std::move(evidence)); !status) return status;
    }
    return ok();
  }

  // The key of the set whose address is the one that the quote's report data has.
  static std::string key_of_address(const json::value& keyset, const std::string& address) {
    const auto wanted = field_from_hex<20>(address);
    const json::value* keys = find(keyset, "e2ee_public_keys");
    if (!wanted || keys == nullptr || !keys->is_array()) return {};
    for (const json::value& key : keys->get_array()) {
      std::string digits = text(key, {"public_key"});
      const std::optional<Bytes> point = from_hex(digits, 65);
      if (!point || (point->size() != 64 && point->size() != 65)) continue;
      const BytesView plain = BytesView(*point).last(64);
      if (sealing::ethereum_address(plain.first<64>()) == *wanted) return digits;
    }
    return {};
  }

  // The quote of the gateway's own statement, and the one of the older layout beside it.
  Status read_aci(const json::value& value) {
    report_.shape = "aci";
    const json::value attestation = object_at(value, "attestation");
    const json::value keyset = object_at(attestation, "workload_keyset");
    const json::value proof = object_at(attestation, "evidence");
    if (!text(proof, {"quote"}).empty()) {
      Evidence evidence;
      evidence.role = "workload";
      evidence.binding = Binding::kWorkload;
      if (Status status = read_quote(proof, {"quote"}, evidence); !status) return status;
      evidence.keyset = keyset;
      evidence.workload_id = text(value, {"workload_id"});
      evidence.nonce = text(value, {"request_nonce", "nonce"});
      evidence.signing_address = text(value, {"signing_address"});
      evidence.signing_key = key_of_address(keyset, evidence.signing_address);
      if (Status status = read_events(proof, evidence); !status) return status;
      if (Status status = add(std::move(evidence)); !status) return status;
    }
    if (text(value, {"intel_quote"}).empty()) return ok();
    Result<Evidence> legacy = read_flat(value, "model");
    if (!legacy) return legacy.error();
    const bool is_same =
        !report_.evidences.empty() && report_.evidences.front().quote == legacy->quote;
    if (is_same) return ok();
    if (legacy->signing_key.empty()) {
      legacy->signing_key = key_of_address(keyset, legacy->signing_address);
    }
    return add(std::move(legacy));
  }

  Report report_;
};

bool is_binary_quote(std::string_view bytes) {
  return bytes.size() > 1 && bytes[1] == 0;  // the version's upper half
}

}  // namespace

std::optional<Bytes> quote_bytes(std::string_view text) {
  const std::string_view digits = trimmed(text);
  std::optional<Bytes> bytes = from_hex(digits, kQuoteBytesMax);
  if (!bytes) bytes = from_base64(digits, kQuoteBytesMax);
  if (!bytes || bytes->empty()) return std::nullopt;
  return bytes;
}

Result<Report> read_report(std::string_view bytes) {
  if (bytes.size() > kReportBytesMax) return malformed("is longer than 8 MiB");
  const std::string_view plain = trimmed(bytes);
  const bool is_document = plain.starts_with('{') || plain.starts_with('[');
  if (is_document) {
    const Result<json::value> value = parse_json(plain);
    if (!value) return malformed("cannot be read: " + value.error().message);
    return ReportReader().read(*value);
  }
  Evidence evidence;
  evidence.role = "quote";
  if (is_binary_quote(bytes)) {
    evidence.quote.assign(bytes.begin(), bytes.end());
  } else if (std::optional<Bytes> quote = quote_bytes(plain)) {
    evidence.quote = std::move(*quote);
  } else {
    return malformed("is neither JSON nor a quote in binary, hex or base64");
  }
  return Report{"quote", {std::move(evidence)}};
}

}  // namespace backplane::attestation
