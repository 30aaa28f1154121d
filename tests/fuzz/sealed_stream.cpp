// SPDX-License-Identifier: Apache-2.0
// Documents of a sealed stream, one a line: what comes out is whole JSON, and says nothing that was
// not sealed. A byte 01 stands for a seal that opens, 02 for one for somebody else.
#include <simdjson.h>

#include <array>
#include <string>
#include <string_view>

#include "common/chunk_reader.hpp"
#include "common/sealing/answer_opener.hpp"
#include "common/sealing/hex.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

namespace dom = simdjson::dom;
using namespace sealing;

constexpr std::string_view kSealed = "sealed";
constexpr std::array<std::string_view, 5> kRoles{"assistant", "developer", "system", "tool",
                                                 "user"};

KeyPair key_pair(std::uint8_t byte) {
  const std::array<std::uint8_t, 32> bytes = [byte] {
    std::array<std::uint8_t, 32> filled{};
    filled.fill(byte);
    return filled;
  }();
  return std::move(*KeyPair::from_private(Curve::kSecp256k1, Secret<32>(std::span(bytes))));
}

std::string seal_for(std::uint8_t byte) {
  const KeyPair recipient = key_pair(byte);
  return *seal_box(kVenice.box, recipient.public_key(), kSealed, "");
}

AnswerOpener opener() {
  const std::string model = to_hex(key_pair(9).public_key().bytes());
  return {std::move(*CallSeal::make_with(kVenice, model, key_pair(7), {})), "asked"};
}

std::string with_seals(std::string_view line) {
  static const std::string kOwn = seal_for(7);
  static const std::string kForeign = seal_for(8);
  std::string document;
  for (const char byte : line) {
    if (byte == '\x01') {
      document += kOwn;
    } else if (byte == '\x02') {
      document += kForeign;
    } else {
      document += byte;
    }
  }
  return document;
}

bool may_be_said(std::string_view text) {
  return text == kSealed || text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos ||
         std::find(kRoles.begin(), kRoles.end(), text) != kRoles.end();
}

void check_said(dom::element value) {
  std::string_view text;
  dom::object object;
  dom::array array;
  if (!value.get(text)) expect(may_be_said(text), "a text came out that was not sealed");
  if (!value.get(array)) expect(array.size() == 0, "an array came out that was not sealed");
  if (!value.get(object)) {
    for (const auto member : object) check_said(member.value);
  }
}

void check_opened(std::string_view document) {
  dom::parser parser;
  dom::object object;
  expect(!parser.parse(document.data(), document.size()).get(object), "what came out is no object");
  for (const auto member : object) {
    dom::array choices;
    if (member.key != "choices" || member.value.get(choices)) continue;
    for (const dom::element choice : choices) {
      for (const auto part : dom::object(choice)) {
        if (part.key == "delta" || part.key == "message") check_said(part.value);
      }
    }
  }
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  auto stream = opener();
  bool failed = false;
  std::string_view rest = text_of(data, size);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto opened = stream.open(with_seals(line));
    expect(!failed || !opened, "something came out after a failure");
    failed |= !opened;
    if (opened && *opened != "[DONE]") check_opened(*opened);
  }
  expect(!failed || !stream.finish(), "a stream that failed ended well");
  return 0;
}
