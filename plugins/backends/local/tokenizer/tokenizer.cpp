// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

#include <algorithm>

#include "plugins/backends/local/tokenizer/literal_text.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

// What BERT's vocabularies expect when the file does not say.
constexpr std::string_view kBertNormalizer = "bert-clean bert-chinese strip-accents lowercase";

using Loader = Result<std::unique_ptr<Tokenizer>> (*)(const ModelFile&, Vocabulary);
struct Kind {
  std::string_view name;
  Loader load;
};
constexpr Kind kKinds[] = {
    {"llama", load_spm_tokenizer}, {"gpt2", load_bpe_tokenizer}, {"bert", load_wpm_tokenizer}};

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view without_trailing_space(std::string_view text) {
  for (;;) {
    std::size_t begin = text.size();
    while (begin > 0 && (static_cast<unsigned char>(text[begin - 1]) & 0xc0) == 0x80) --begin;
    if (begin == 0 || !is_space(decode_utf8(text.substr(begin - 1)).value)) return text;
    text = text.substr(0, begin - 1);
  }
}

std::size_t leading_space(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size()) {
    const CodePoint next = decode_utf8(text.substr(size));
    if (!is_space(next.value)) break;
    size += next.size;
  }
  return size;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(const ModelFile& file) {
  constexpr std::string_view kKey = "tokenizer.ggml.model";
  const auto model = file.text(kKey);
  if (!model) return model.error();
  if (!model->has_value()) return file.missing(kKey);
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kind& known) { return known.name == **model; });
  if (kind == std::end(kKinds)) {
    return file.wrong(kKey,
                      "\"" + printable(**model) + "\" is not supported; llama, gpt2 and bert are");
  }
  auto vocabulary = Vocabulary::load(file);
  if (!vocabulary) return vocabulary.error();
  const auto names = file.text("backplane.tokenizer.normalizer");
  if (!names) return names.error();
  auto normalizer = Normalizer::named(names->value_or(**model == "bert" ? kBertNormalizer : ""));
  if (!normalizer) {
    return file.wrong("backplane.tokenizer.normalizer", normalizer.error().message);
  }
  const auto once = file.boolean("backplane.tokenizer.space_prefix_once");
  if (!once) return once.error();
  auto tokenizer = kind->load(file, std::move(*vocabulary));
  if (!tokenizer) return tokenizer;
  (*tokenizer)->normalizer_ = std::move(*normalizer);
  (*tokenizer)->first_once_ = once->value_or(false);
  return tokenizer;
}

std::optional<Token> Tokenizer::special_at(std::string_view text, std::size_t at,
                                           bool with_control) const {
  const auto token = vocabulary_.special_prefix(text.substr(at), with_control);
  if (!token || (vocabulary_.flags(*token) & kTokenSingleWord) == 0) return token;
  const std::size_t end = at + vocabulary_.text(*token).size();
  const bool goes_on =
      (at > 0 && is_word_byte(text[at - 1])) || (end < text.size() && is_word_byte(text[end]));
  return goes_on ? std::nullopt : token;
}

std::vector<Token> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<Token> out;
  const bool with_bos = vocabulary_.adds_bos().value_or(adds_bos());
  if (options.add_special && with_bos && vocabulary_.bos()) out.push_back(*vocabulary_.bos());
  bool first = true;
  std::size_t begin = 0;
  std::string unmarked;
  const auto close = [&](std::string_view plain) {
    if (options.drop_marks && plain.find(kLiteralMark) != plain.npos) {
      unmarked = plain;
      std::erase(unmarked, kLiteralMark);
      plain = unmarked;
    }
    if (plain.empty()) return;
    if (normalizer_.does_nothing()) {
      encode_plain(plain, first, out);
    } else {
      encode_plain(normalizer_.apply(plain), first, out);
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto token = special_at(text, at, options.parse_special);
    const std::size_t end = token ? at + vocabulary_.text(*token).size() : at;
    // A name of one character has its mark behind it.
    const bool marked = options.drop_marks && end < text.size() && text[end] == kLiteralMark;
    if (!token || marked) {
      ++at;
      continue;
    }
    const std::uint8_t flags = vocabulary_.flags(*token);
    const std::string_view before = text.substr(begin, at - begin);
    close((flags & kTokenStripsLeft) != 0 ? without_trailing_space(before) : before);
    out.push_back(*token);
    first = !first_once_;
    at = end;
    if ((flags & kTokenStripsRight) != 0) at += leading_space(text.substr(at));
    begin = at;
  }
  close(text.substr(begin));
  const bool with_eos = vocabulary_.adds_eos().value_or(adds_eos());
  if (options.add_special && with_eos && vocabulary_.eos()) out.push_back(*vocabulary_.eos());
  return out;
}

std::string Tokenizer::piece(Token token) const {
  switch (vocabulary_.type(token)) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      return {};
    default:
      return plain_piece(token);
  }
}

}  // namespace backplane::local
