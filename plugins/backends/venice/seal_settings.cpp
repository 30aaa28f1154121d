// SPDX-License-Identifier: Apache-2.0
#include "seal_settings.hpp"

#include <simdjson.h>

#include <string>

namespace backplane::venice {
namespace {

namespace dom = simdjson::dom;

Result<Sealing> read_sealing(const dom::element& root) {
  std::string_view text;
  if (root["e2ee"].get(text) == simdjson::NO_SUCH_FIELD || text == "auto") return Sealing::kAuto;
  if (text == "required") return Sealing::kRequired;
  if (text == "off") return Sealing::kOff;
  return invalid_argument("e2ee: expected \"auto\", \"required\" or \"off\"");
}

Status read_measurements(const dom::element& attestation,
                         sealed_calls::AttestationOptions& options) {
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

}  // namespace

Result<SealSettings> read_seal_settings(std::string_view json) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return invalid_argument("settings: expected a JSON object");
  }
  SealSettings settings;
  const Result<Sealing> sealing = read_sealing(root);
  if (!sealing) return sealing.error();
  settings.sealing = *sealing;
  dom::element attestation;
  if (root["attestation"].get(attestation) != simdjson::SUCCESS) return settings;
  std::string_view url;
  if (attestation["collateral_url"].get(url) == simdjson::SUCCESS) {
    settings.attestation.collateral_url = url;
  }
  std::int64_t interval_s = 0;
  if (attestation["interval_seconds"].get(interval_s) == simdjson::SUCCESS) {
    settings.attestation.interval_s = interval_s;
  }
  const Status read = read_measurements(attestation, settings.attestation);
  return read ? Result<SealSettings>(std::move(settings)) : Result<SealSettings>(read.error());
}

}  // namespace backplane::venice
