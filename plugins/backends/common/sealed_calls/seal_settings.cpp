// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/seal_settings.hpp"

#include <simdjson.h>

#include <utility>

namespace backplane::sealed_calls {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kNoText = " ";  // what is no value of a setting

// Empty: it is not there.
std::string_view read_mode(const dom::element& root) {
  std::string_view text;
  const auto error = root["e2ee"].get(text);
  if (error == simdjson::NO_SUCH_FIELD) return {};
  return error == simdjson::SUCCESS && !text.empty() ? text : kNoText;
}

Status read_measurements(const dom::element& attestation, AttestationOptions& options) {
  dom::object measurements;
  if (attestation["measurements"].get(measurements) != simdjson::SUCCESS) return ok();
  for (const auto [name, element] : measurements) {
    dom::array values;
    if (element.get(values) != simdjson::SUCCESS || values.size() == 0) {
      return invalid_argument("attestation.measurements." + std::string(name) +
                              ": expected a list of values");
    }
    for (const dom::element value : values) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) {
        return invalid_argument("attestation.measurements." + std::string(name) +
                                ": expected values in hexadecimal");
      }
      options.allowed[std::string(name)].emplace_back(text);
    }
  }
  return ok();
}

Result<Checking> read_checking(const dom::element& section, std::string_view place,
                               Checking otherwise) {
  std::string_view text;
  const auto error = section["policy"].get(text);
  if (error == simdjson::NO_SUCH_FIELD) return otherwise;
  for (const Checking known : {Checking::kOff, Checking::kWarn, Checking::kRequire}) {
    if (error == simdjson::SUCCESS && text == name_of(known)) return known;
  }
  return invalid_argument(std::string(place) +
                          ".policy: expected \"require\", \"warn\" or \"off\"");
}

// Signatures are looked at where the key that makes them is known.
Status read_signatures(const dom::element& root, SealSettings& settings) {
  const bool has_key = settings.checking != Checking::kOff;
  settings.signatures.checking = has_key ? Checking::kWarn : Checking::kOff;
  dom::element signatures;
  if (root["signatures"].get(signatures) != simdjson::SUCCESS) return ok();
  const Result<Checking> checking =
      read_checking(signatures, "signatures", settings.signatures.checking);
  if (!checking) return checking.error();
  if (*checking == Checking::kRequire && !has_key) {
    return invalid_argument(
        "signatures.policy: \"require\" needs attestation.policy, which tells whose signatures");
  }
  if (has_key) settings.signatures.checking = *checking;
  std::uint64_t timeout_ms = 0;
  if (signatures["timeout_ms"].get(timeout_ms) == simdjson::SUCCESS) {
    settings.signatures.timeout_ms = static_cast<std::uint32_t>(timeout_ms);
  }
  return ok();
}

Status read_attestation(const dom::element& root, SealSettings& settings) {
  AttestationOptions& options = settings.attestation;
  dom::element attestation;
  if (root["attestation"].get(attestation) != simdjson::SUCCESS) return ok();
  const Result<Checking> checking = read_checking(attestation, "attestation", Checking::kOff);
  if (!checking) return checking.error();
  settings.checking = *checking;
  std::string_view url;
  if (attestation["collateral_url"].get(url) == simdjson::SUCCESS) options.collateral_url = url;
  std::int64_t interval_s = 0;
  if (attestation["interval_seconds"].get(interval_s) == simdjson::SUCCESS) {
    options.interval_s = interval_s;
  }
  return read_measurements(attestation, options);
}

// What `read_e2ee(mode, settings)` makes of the mode, and the rest.
template <class ReadMode>
Result<SealSettings> read_seals(std::string_view json, ReadMode&& read_e2ee) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return invalid_argument("settings: expected a JSON object");
  }
  SealSettings settings;
  if (const Status read = read_e2ee(read_mode(root), settings); !read) return read.error();
  if (const Status read = read_attestation(root, settings); !read) return read.error();
  if (const Status read = read_signatures(root, settings); !read) return read.error();
  settings.attestation.needs_seal_key = settings.sealed != Sealed::kNone;
  return settings;
}

}  // namespace

std::string_view name_of(Checking checking) {
  if (checking == Checking::kOff) return "off";
  return checking == Checking::kWarn ? "warn" : "require";
}

Result<SealSettings> read_named_seals(std::string_view json, const sealing::Variant& variant,
                                      std::string_view name_prefix) {
  return read_seals(json, [&](std::string_view mode, SealSettings& settings) -> Status {
    if (mode == "off") return ok();
    settings.variant = &variant;
    settings.name_prefix = name_prefix;
    settings.sealed = mode == "required" ? Sealed::kAll : Sealed::kNamed;
    if (mode.empty() || mode == "auto" || mode == "required") return ok();
    return invalid_argument("e2ee: expected \"auto\", \"required\" or \"off\"");
  });
}

Result<SealSettings> read_variant_seals(std::string_view json) {
  return read_seals(json, [&](std::string_view mode, SealSettings& settings) -> Status {
    if (mode.empty() || mode == "off") return ok();
    settings.variant = sealing::find_variant(mode);
    settings.sealed = Sealed::kAll;
    if (settings.variant == nullptr || settings.variant == &sealing::kAciV2X25519) {
      return invalid_argument(
          "e2ee: expected \"off\" or the name of a way to encrypt, "
          "for which a model's attestation has a key");
    }
    if (settings.variant->box.curve == sealing::Curve::kEd25519) {
      settings.attestation.signing_algorithm = "ed25519";
      settings.attestation.report_query = "&signing_algo=ed25519";
    }
    return ok();
  });
}

}  // namespace backplane::sealed_calls
