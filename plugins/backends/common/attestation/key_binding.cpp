// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/key_binding.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "common/attestation/canonical_json.hpp"
#include "common/attestation/reason.hpp"
#include "common/sealing/keccak.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

using Half = Field<32>;

Half half(const Field<64>& report_data, std::size_t which) {
  Half part{};
  std::copy_n(report_data.begin() + static_cast<std::ptrdiff_t>(which * 32), 32, part.begin());
  return part;
}

std::string lower(std::string text) {
  for (char& next : text) next = next >= 'A' && next <= 'Z' ? static_cast<char>(next + 32) : next;
  return text;
}

struct Identity {
  Bytes bytes;  // 20 of an address, 32 of a key
  Bound bound;
};

Result<Identity> ecdsa_identity(const Evidence& evidence) {
  const auto said = field_from_hex<20>(evidence.signing_address);
  if (!said && !evidence.signing_address.empty()) {
    return rejected(reason::kSigningKey, "the signing address is not one of 20 bytes");
  }
  if (!said && evidence.signing_key.empty()) {
    return rejected(reason::kSigningKey, "the report names no signing key");
  }
  Identity identity;
  identity.bound.signing_algorithm = "ecdsa";
  if (said) identity.bytes.assign(said->begin(), said->end());
  if (!evidence.signing_key.empty()) {
    const std::optional<Bytes> key = from_hex(evidence.signing_key, 65);
    const bool is_key = key && (key->size() == 64 || (key->size() == 65 && key->front() == 4));
    if (!is_key) return rejected(reason::kSigningKey, "the signing key is not a point of 64 bytes");
    const sealing::EthereumAddress address =
        sealing::ethereum_address(BytesView(*key).last(64).first<64>());
    if (said && *said != address) {
      return rejected(reason::kSigningKey, "the signing key does not have the signing address");
    }
    identity.bytes.assign(address.begin(), address.end());
    identity.bound.signing_key = evidence.signing_key;
  }
  identity.bound.signing_address = "0x" + to_hex(identity.bytes);
  return identity;
}

Result<Identity> ed25519_identity(const Evidence& evidence) {
  const std::string& first =
      evidence.signing_key.empty() ? evidence.signing_address : evidence.signing_key;
  const auto key = field_from_hex<32>(first);
  const auto address = field_from_hex<32>(evidence.signing_address);
  if (!key || (!evidence.signing_address.empty() && (!address || *address != *key))) {
    return rejected(reason::kSigningKey, "the ed25519 key is not one, or its address is another");
  }
  Identity identity;
  identity.bytes.assign(key->begin(), key->end());
  identity.bound.signing_algorithm = "ed25519";
  identity.bound.signing_address = to_hex(*key);
  identity.bound.signing_key = to_hex(*key);
  return identity;
}

Result<Identity> identity_of(const Evidence& evidence) {
  const std::string& algorithm = evidence.signing_algorithm;
  if (algorithm == "ecdsa") return ecdsa_identity(evidence);
  if (algorithm == "ed25519") return ed25519_identity(evidence);
  if (!algorithm.empty()) return rejected(reason::kSigningKey, "the signing algorithm is unknown");
  const bool is_ed25519 = field_from_hex<32>(evidence.signing_address).has_value();
  return is_ed25519 ? ed25519_identity(evidence) : ecdsa_identity(evidence);
}

// The nonce to expect: ours, else the report's own. A report that names another one is refused.
Result<std::string> expected_nonce(const Evidence& evidence,
                                   const std::optional<Field<32>>& nonce) {
  if (!nonce) return evidence.nonce;
  const std::string ours = to_hex(*nonce);
  std::string theirs = lower(evidence.nonce);
  if (theirs.starts_with("0x")) theirs.erase(0, 2);
  if (theirs.empty() || theirs == ours) return ours;
  return rejected(reason::kNonce,
                  "the report answers another nonce than the one it was asked with");
}

Status bind_nonce(const Half& found, const std::string& nonce, Bound& bound) {
  if (nonce.empty()) return ok();
  const auto raw = field_from_hex<32>(nonce);
  const std::optional<Bytes> bytes = from_hex(nonce, 256);
  if (raw && *raw == found) {
    bound.nonce_method = "raw";
  } else if ((bytes && sha256(*bytes) == found) || sha256(bytes_of(nonce)) == found) {
    bound.nonce_method = "sha256";
  } else {
    return rejected(reason::kNonce, "the quote's report data does not have the nonce");
  }
  bound.nonce = nonce;
  return ok();
}

// The key or its address, zeros, then the nonce.
Result<Bound> bind_signing_key(const Evidence& evidence, const Field<64>& report_data,
                               const std::string& nonce) {
  Result<Identity> identity = identity_of(evidence);
  if (!identity) return identity.error();
  Half padded{};
  std::copy(identity->bytes.begin(), identity->bytes.end(), padded.begin());
  const Half found = half(report_data, 0);
  const auto fingerprint = field_from_hex<32>(evidence.tls_fingerprint);
  Bytes with_tls = identity->bytes;
  if (fingerprint) with_tls.insert(with_tls.end(), fingerprint->begin(), fingerprint->end());
  if (found == padded) {
    identity->bound.method = "signing key in the report data";
  } else if (fingerprint && found == sha256(with_tls)) {
    identity->bound.method = "sha256 of signing key and TLS certificate in the report data";
  } else {
    return rejected(reason::kReportData, "the quote's report data does not have the signing key");
  }
  Status status = bind_nonce(half(report_data, 1), nonce, identity->bound);
  if (!status) return status.error();
  return std::move(identity->bound);
}

bool is_statement(const json::object& statement, const Field<64>& report_data) {
  const std::optional<std::string> text = canonical_json(statement);
  return text && sha256(bytes_of(*text)) == half(report_data, 0) &&
         is_zero(BytesView(report_data).subspan(32));
}

// The statement over the gateway's set of keys, of either generation; else the older layout, which
// binds one key of the set alone.
Result<Bound> bind_workload(const Evidence& evidence, const Field<64>& report_data,
                            const std::string& nonce) {
  const std::optional<std::string> keys = canonical_json(evidence.keyset);
  if (!keys || !evidence.keyset.is_object()) {
    return bind_signing_key(evidence, report_data, nonce);
  }
  const std::string digest = "sha256:" + to_hex(sha256(bytes_of(*keys)));
  const json::value asked = nonce.empty() ? json::value() : json::value(nonce);
  const json::object statement{
      {"keyset_digest", digest}, {"nonce", asked}, {"purpose", "aci.report_data.v1"}};
  const json::object first{{"nonce", asked},
                           {"purpose", "aci.report_data.v1"},
                           {"workload_id", evidence.workload_id},
                           {"workload_keyset_digest", digest}};
  if (!is_statement(statement, report_data) && !is_statement(first, report_data)) {
    return bind_signing_key(evidence, report_data, nonce);
  }
  Bound bound;
  bound.method = "statement over the set of keys in the report data";
  bound.nonce_method = nonce.empty() ? "" : "statement";
  bound.nonce = nonce;
  return bound;
}

Result<Bound> bind_chutes(const Evidence& evidence, const Field<64>& report_data) {
  if (sha256(bytes_of(evidence.nonce + evidence.e2e_key)) != half(report_data, 0)) {
    return rejected(reason::kReportData,
                    "the quote's report data does not have the instance's nonce and key");
  }
  Bound bound;
  bound.method = "sha256 of nonce and encryption key in the report data";
  bound.nonce_method = evidence.nonce.empty() ? "" : "statement";
  bound.nonce = evidence.nonce;
  bound.signing_key = evidence.e2e_key;
  return bound;
}

Result<Bound> bind_actions(const Evidence& evidence, const Field<64>& report_data,
                           const std::string& nonce) {
  const auto hash = field_from_hex<32>(evidence.actions_hash);
  if (!hash || *hash != half(report_data, 0)) {
    return rejected(reason::kReportData, "the quote's report data does not have the actions' hash");
  }
  Bound bound;
  bound.method = "hash of the actions in the report data";
  if (Status status = bind_nonce(half(report_data, 1), nonce, bound); !status) {
    return status.error();
  }
  return bound;
}

Result<Bound> bind_plain(const Evidence& evidence, const Field<64>& report_data,
                         const std::string& nonce) {
  if (!evidence.report_data.empty() && lower(evidence.report_data) != to_hex(report_data)) {
    return rejected(reason::kReportData, "the quote has other report data than the report says");
  }
  Bound bound;
  Status status = bind_nonce(half(report_data, 1), nonce, bound);
  if (!status) status = bind_nonce(half(report_data, 0), nonce, bound);
  if (!status) return status.error();
  return bound;
}

}  // namespace

Result<Bound> check_binding(const Evidence& evidence, const Field<64>& report_data,
                            const std::optional<Field<32>>& nonce) {
  const Result<std::string> asked = expected_nonce(evidence, nonce);
  if (!asked) return asked.error();
  if (nonce && evidence.binding == Binding::kChutes && evidence.nonce.empty()) {
    return rejected(reason::kNonce, "the report does not have the nonce that was asked with");
  }
  switch (evidence.binding) {
    case Binding::kSigningKey:
      return bind_signing_key(evidence, report_data, *asked);
    case Binding::kWorkload:
      return bind_workload(evidence, report_data, *asked);
    case Binding::kChutes:
      return bind_chutes(evidence, report_data);
    case Binding::kActions:
      return bind_actions(evidence, report_data, *asked);
    case Binding::kNone:
      break;
  }
  return bind_plain(evidence, report_data, *asked);
}

}  // namespace backplane::attestation
