// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/associated_data.hpp"

#include <array>
#include <utility>

namespace backplane::sealing {
namespace {

// RFC 8785, 3.2.2.2: two-letter escapes where JSON has them, else \u00xx in lower case.
std::string canonical_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  static constexpr std::array<std::pair<char, char>, 7> kShort{
      {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}}};
  std::string out = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    const auto* found = kShort.begin();
    while (found != kShort.end() && found->first != letter) ++found;
    if (found != kShort.end()) {
      out += {'\\', found->second};
    } else if (code < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[code >> 4U], kHex[code & 15U]};
    } else {
      out += letter;
    }
  }
  return out + '"';
}

std::string member(std::string_view name, std::string_view text) {
  return '"' + std::string(name) + "\":" + canonical_string(text);
}

// Members in the order of their names.
std::string aci_text(const Variant& variant, const Freshness& freshness, std::string_view direction,
                     std::string_view field, const std::string_view* id, std::string_view model) {
  std::string text = '{' + member("algo", variant.algorithm) + ',' + member("field", field);
  if (id != nullptr) text += ',' + member("id", *id);
  text += ',' + member("model", model) + ',' + member("nonce", freshness.nonce);
  text += ',' + member("purpose", "aci.e2ee." + std::string(direction) + ".v2");
  return text + ",\"ts\":" + std::to_string(freshness.unix_time_s) + '}';
}

std::string dstack_end(const Freshness& freshness) {
  return "|n=" + freshness.nonce + "|ts=" + std::to_string(freshness.unix_time_s);
}

std::string dstack_begin(const Variant& variant, std::string_view direction,
                         std::string_view model) {
  return "v2|" + std::string(direction) + "|algo=" + std::string(variant.algorithm) +
         "|model=" + std::string(model);
}

}  // namespace

std::string request_associated_data(const Variant& variant, const Freshness& freshness,
                                    const RequestPlace& place) {
  if (variant.binding == Binding::kNone) return {};
  const std::string message = std::to_string(place.message);
  if (variant.binding == Binding::kDstack) {
    const std::string part = place.part ? std::to_string(*place.part) : "-";
    return dstack_begin(variant, "req", place.model) + "|m=" + message + "|c=" + part +
           dstack_end(freshness);
  }
  std::string field = "messages." + message + ".content";
  if (place.part) field += '.' + std::to_string(*place.part) + ".text";
  return aci_text(variant, freshness, "request", field, nullptr, place.model);
}

std::string response_associated_data(const Variant& variant, const Freshness& freshness,
                                     const ResponsePlace& place) {
  if (variant.binding == Binding::kNone) return {};
  if (variant.binding == Binding::kDstack) {
    return dstack_begin(variant, "resp", place.response_model) + "|id=" + std::string(place.id) +
           "|choice=" + std::to_string(place.position) + "|field=" + std::string(place.field) +
           dstack_end(freshness);
  }
  const std::string field = "choices." + std::to_string(place.index) +
                            (place.is_delta ? ".delta." : ".message.") + std::string(place.field);
  return aci_text(variant, freshness, "response", field, &place.id, place.request_model);
}

}  // namespace backplane::sealing
