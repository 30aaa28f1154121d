// SPDX-License-Identifier: Apache-2.0
// Chat requests to be sealed: what leaves is whole JSON of which no message has a content that is
// no seal.
#include <simdjson.h>

#include <array>
#include <string>
#include <string_view>

#include "common/sealing/chat_request.hpp"
#include "common/sealing/hex.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

namespace dom = simdjson::dom;
using namespace sealing;

CallSeal make_seal(const Variant& variant) {
  const std::array<std::uint8_t, 32> bytes{1};
  const auto pair = KeyPair::from_private(variant.box.curve, Secret<32>(std::span(bytes)));
  return std::move(*CallSeal::make(variant, to_hex(pair->public_key().bytes()), 1));
}

bool is_sealed(const Variant& variant, std::string_view text) {
  return text.size() >= box_min_digits(variant.box) && from_hex(text).has_value();
}

void check_content(const Variant& variant, dom::element content) {
  std::string_view text;
  dom::array parts;
  if (!content.get(text)) expect(is_sealed(variant, text), "a content left in the clear");
  if (content.get(parts)) return;
  for (const dom::element part : parts) {
    for (const auto member : dom::object(part)) {
      if (member.key != "text") continue;
      expect(!member.value.get(text) && is_sealed(variant, text), "a part left in the clear");
    }
  }
}

void check_sealed(const Variant& variant, std::string_view body) {
  dom::parser parser;
  dom::object request;
  expect(!parser.parse(body.data(), body.size()).get(request), "what leaves is no object");
  for (const auto member : request) {
    dom::array messages;
    if (member.key != "messages" || member.value.get(messages)) continue;
    for (const dom::element message : messages) {
      for (const auto part : dom::object(message)) {
        if (part.key == "content") check_content(variant, part.value);
      }
    }
  }
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  using backplane::sealing::variants;
  const auto& variant = *variants()[size % variants().size()];
  const auto sealed = seal_chat_request(make_seal(variant), text_of(data, size));
  if (sealed) check_sealed(variant, *sealed);
  return 0;
}
