// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE: each byte is written as one character, words are split off by a pattern, and
// pairs join in the order of the file's list of merges.
#include <array>
#include <unordered_map>

#include "plugins/backends/local/tokenizer/merge_list.hpp"
#include "plugins/backends/local/tokenizer/merge_queue.hpp"
#include "plugins/backends/local/tokenizer/pre_tokenizer.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

// GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for U+0100 and up.
std::array<std::uint32_t, 256> byte_alphabet() {
  std::array<std::uint32_t, 256> alphabet{};
  std::uint32_t next = 256;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    alphabet[byte] = printable ? byte : next++;
  }
  return alphabet;
}

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(Vocabulary vocabulary, PreTokenizer rules, bool space_prefix,
               const MetadataArray& merges)
      : Tokenizer(std::move(vocabulary)),
        rules_(std::move(rules)),
        space_prefix_(space_prefix),
        merges_(this->vocabulary(), merges) {
    const auto alphabet = byte_alphabet();
    for (std::size_t byte = 0; byte < alphabet.size(); ++byte) {
      append_utf8(alphabet[byte], characters_[byte]);
      bytes_[alphabet[byte]] = static_cast<char>(byte);
    }
  }

 private:
  void encode_plain(std::string_view text, bool first, std::vector<Token>& out) const override {
    std::string prefixed;
    if (space_prefix_ && first && !is_space(static_cast<unsigned char>(text[0]))) {
      text = prefixed.append(" ").append(text);
    }
    for (const std::string_view word : rules_.split(text)) encode_word(word, out);
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const {
    std::string written;
    for (const char c : word) written += characters_[static_cast<unsigned char>(c)];
    if (rules_.whole_words()) {
      if (const auto token = vocabulary().find(written)) return out.push_back(*token);
    }
    std::vector<MergePiece> pieces = split_characters(written, vocabulary());
    merge_pieces(pieces, [this](const MergePiece& left, const MergePiece& right) {
      return merges_.find(left.token, right.token);
    });
    for (const MergePiece& piece : pieces) {
      if (piece.text.empty()) continue;
      if (piece.token >= 0) {
        out.push_back(piece.token);
      } else if (vocabulary().unknown()) {
        out.push_back(*vocabulary().unknown());
      }
    }
  }

  std::string plain_piece(Token token) const override {
    const std::string_view text = vocabulary().text(token);
    if (vocabulary().type(token) == TokenType::kUserDefined) return std::string(text);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint next = decode_utf8(text.substr(at));
      const auto byte = bytes_.find(next.value);
      if (byte != bytes_.end()) {
        out += byte->second;
      } else {
        out += text.substr(at, next.size);
      }
      at += next.size;
    }
    return out;
  }

  bool adds_bos() const override { return rules_.adds_bos(); }

  PreTokenizer rules_;
  bool space_prefix_;  // a text begins with a space, its own or one put before it
  std::array<std::string, 256> characters_;        // byte to its character
  std::unordered_map<std::uint32_t, char> bytes_;  // and back
  MergeList merges_;
};

Result<PreTokenizer> read_rules(const ModelFile& file) {
  constexpr std::string_view kPatterns = "backplane.tokenizer.patterns";
  const auto patterns = file.strings(kPatterns);
  if (!patterns) return patterns.error();
  if (*patterns == nullptr) {
    const auto name = file.text("tokenizer.ggml.pre");
    if (!name) return name.error();
    auto rules = PreTokenizer::named(name->value_or("default"));
    if (!rules) return file.wrong("tokenizer.ggml.pre", rules.error().message);
    return rules;
  }
  const auto whole_words = file.boolean("backplane.tokenizer.ignore_merges");
  if (!whole_words) return whole_words.error();
  auto rules = PreTokenizer::of((*patterns)->strings, whole_words->value_or(false));
  if (!rules) return file.wrong(kPatterns, rules.error().message);
  return rules;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> load_bpe_tokenizer(const ModelFile& file,
                                                      Vocabulary vocabulary) {
  auto rules = read_rules(file);
  if (!rules) return rules.error();
  const auto merges = file.strings("tokenizer.ggml.merges");
  if (!merges) return merges.error();
  if (*merges == nullptr) return file.missing("tokenizer.ggml.merges");
  const auto prefix = file.boolean("tokenizer.ggml.add_space_prefix");
  if (!prefix) return prefix.error();
  return std::unique_ptr<Tokenizer>(new BpeTokenizer(std::move(vocabulary), std::move(*rules),
                                                     prefix->value_or(false), **merges));
}

}  // namespace backplane::local
