// SPDX-License-Identifier: Apache-2.0
// Documents of an upstream: the same is read with and without room behind them, and what is no JSON
// is no whole object.
#include "common/chunk_reader.hpp"

#include <simdjson.h>

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using dialect::ChunkFacts;
using dialect::ChunkReader;
using dialect::Completion;

std::string show(const ChunkFacts& facts, const ChunkReader& reader) {
  std::string text = std::to_string(facts.has_usage) + std::to_string(facts.has_choices) +
                     std::to_string(facts.has_error) + std::to_string(facts.is_malformed) +
                     std::to_string(reader.is_complete());
  if (facts.has_usage) {
    const bp_usage& usage = facts.usage;
    for (const std::uint64_t count : {usage.prompt_tokens, usage.completion_tokens,
                                      usage.cached_prompt_tokens, usage.reasoning_tokens}) {
      text += " " + std::to_string(count);
    }
    expect(usage.cached_prompt_tokens <= usage.prompt_tokens, "a part above its whole");
    expect(usage.reasoning_tokens <= usage.completion_tokens, "a part above its whole");
  }
  for (const dialect::Finish& finish : reader.finishes()) {
    text += " " + std::to_string(finish.index) + "=" + finish.reason;
    expect(finish.index < dialect::kChoicesMax, "a choice beyond the bound");
  }
  return text;
}

// Numbers too large and halves of surrogates are for whoever uses them to refuse.
bool is_of_values(simdjson::error_code code) {
  return code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR ||
         code == simdjson::DEPTH_ERROR;
}

void check_whole(std::string_view document) {
  static simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto failure = parser.parse(document.data(), document.size()).get(element);
  if (is_of_values(failure)) return;
  const bool is_object = !failure && element.is_object();
  expect(dialect::is_whole_object(document) == is_object, "two readers disagree on an object");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Completion completion = size % 2 == 0 ? Completion::kChoices : Completion::kTypes;
  ChunkReader bare(completion);
  ChunkReader roomy(completion);
  // Lines are documents of one stream, one after the other.
  std::string_view rest = text_of(data, size);
  while (!rest.empty()) {
    const std::string document(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), document.size() + 1));
    const std::string padded = document + std::string(ChunkReader::kPaddingBytes, '"');
    const std::string_view inside = std::string_view(padded).substr(0, document.size());
    const ChunkFacts one = bare.read(document);
    const ChunkFacts other = roomy.read(inside, padded.size());
    expect_same(show(one, bare), show(other, roomy), "what is behind a document changes it");
    check_whole(document);
  }
  return 0;
}
