// SPDX-License-Identifier: Apache-2.0
// A tokenizer.json of whatever bytes and, after the byte 0x1e, a text: the document is refused, or
// the text becomes tokens that there are, however it is marked.
#include "plugins/backends/local/tokenizer/tokenizer_json.hpp"

#include "plugins/backends/local/tokenizer/literal_text.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using namespace backplane::local;

void check_text(const Tokenizer& tokenizer, std::string_view text) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  for (const Token token : tokenizer.encode(text, {true, true})) {
    expect(token >= 0 && static_cast<std::size_t>(token) < vocabulary.size(), "no such token");
    static_cast<void>(tokenizer.piece(token));
  }
  for (const Token token : tokenizer.encode(mark_literal(text, vocabulary), {false, true, true})) {
    const std::string_view name = vocabulary.text(token);
    const bool control = vocabulary.type(token) == TokenType::kControl;
    expect(!control || name == "<think>" || name == "</think>", "a marked name is a token");
  }
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const std::string_view input = text_of(data, size);
  const std::size_t end = std::min(input.find('\x1e'), input.size());
  ModelFile file("folder");
  const auto status = read_tokenizer_json(input.substr(0, end), file);
  if (!status) {
    expect(status.error().message.starts_with("folder: tokenizer.json: "), "an error of no place");
    return 0;
  }
  const auto tokenizer = Tokenizer::load(file);
  if (tokenizer) check_text(**tokenizer, input.substr(std::min(end + 1, input.size())));
  return 0;
}
