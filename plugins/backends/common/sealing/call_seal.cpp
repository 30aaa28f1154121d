// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/call_seal.hpp"

#include <array>
#include <utility>

#include "common/sealing/hex.hpp"

namespace backplane::sealing {

Result<CallSeal> CallSeal::make(const Variant& variant, std::string_view attested_key,
                                std::int64_t unix_time_s) {
  Result<KeyPair> own = KeyPair::generate(variant.box.curve);
  if (!own) return own.error();
  std::array<std::uint8_t, 32> nonce{};
  if (const Status filled = fill_random(nonce); !filled) return filled.error();
  return make_with(variant, attested_key, std::move(*own), {to_hex(nonce), unix_time_s});
}

Result<CallSeal> CallSeal::make_with(const Variant& variant, std::string_view attested_key,
                                     KeyPair own, Freshness freshness) {
  Result<PublicKey> model_key = PublicKey::parse(variant.box.curve, attested_key);
  if (!model_key) {
    Error error = model_key.error();
    error.message = "the model's attested key: " + error.message;
    return error;
  }
  return CallSeal(variant, std::string(without_hex_prefix(attested_key)), std::move(*model_key),
                  std::move(own), std::move(freshness));
}

CallSeal::CallSeal(const Variant& variant, std::string model_key_text, PublicKey model_key,
                   KeyPair own, Freshness freshness)
    : variant_(&variant),
      model_key_text_(std::move(model_key_text)),
      model_key_(std::move(model_key)),
      opener_(variant.box, std::move(own)),
      freshness_(std::move(freshness)) {}

std::vector<dialect::Header> CallSeal::headers() const {
  const VariantHeaders& names = variant_->headers;
  std::vector<dialect::Header> headers{
      {std::string(names.client_key), to_hex(opener_.public_key().bytes())},
      {std::string(names.model_key), model_key_text_}};
  if (!names.algorithm.empty()) {
    headers.push_back({std::string(names.algorithm), std::string(variant_->algorithm)});
  }
  if (!names.version.empty()) {
    headers.push_back({std::string(names.version), std::string(names.version_value)});
  }
  if (variant_->binding != Binding::kNone) {
    headers.push_back({"x-e2ee-nonce", freshness_.nonce});
    headers.push_back({"x-e2ee-timestamp", std::to_string(freshness_.unix_time_s)});
  }
  return headers;
}

Result<std::string> CallSeal::seal(const RequestPlace& place, std::string_view plaintext) const {
  return seal_box(variant_->box, model_key_, plaintext,
                  request_associated_data(*variant_, freshness_, place));
}

Result<std::string> CallSeal::open(const ResponsePlace& place, std::string_view sealed) {
  return opener_.open(sealed, response_associated_data(*variant_, freshness_, place));
}

}  // namespace backplane::sealing
