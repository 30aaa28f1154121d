// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE: each byte is written as one character, words are split off by a pattern, and
// pairs join in the order of the file's list of merges.
#include <array>
#include <unordered_map>

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

using Pair = std::uint64_t;
Pair make_pair_key(Token left, Token right) {
  return (static_cast<Pair>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(Vocabulary vocabulary, PreTokenizer rules, const MetadataArray& merges)
      : Tokenizer(std::move(vocabulary)), rules_(std::move(rules)) {
    const auto alphabet = byte_alphabet();
    for (std::size_t byte = 0; byte < alphabet.size(); ++byte) {
      append_utf8(alphabet[byte], characters_[byte]);
      bytes_[alphabet[byte]] = static_cast<char>(byte);
    }
    merges_.reserve(merges.strings.size());
    for (std::size_t rank = 0; rank < merges.strings.size(); ++rank) {
      add_merge(merges.strings[rank], rank);
    }
  }

 private:
  // "left right"; a merge of or into something that is no token can never be reached.
  void add_merge(std::string_view text, std::size_t rank) {
    const std::size_t space = text.find(' ', 1);
    if (space == std::string_view::npos) return;
    const std::string joined = std::string(text.substr(0, space)).append(text.substr(space + 1));
    const auto left = vocabulary().find(text.substr(0, space));
    const auto right = vocabulary().find(text.substr(space + 1));
    const auto token = vocabulary().find(joined);
    if (!left || !right || !token) return;
    merges_.emplace(make_pair_key(*left, *right), Merge{static_cast<double>(rank), *token});
  }

  void encode_plain(std::string_view text, bool, std::vector<Token>& out) const override {
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
      const auto found = merges_.find(make_pair_key(left.token, right.token));
      return found == merges_.end() ? std::nullopt : std::optional(found->second);
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

  bool adds_bos() const override { return vocabulary().adds_bos().value_or(rules_.adds_bos()); }

  PreTokenizer rules_;
  std::array<std::string, 256> characters_;        // byte to its character
  std::unordered_map<std::uint32_t, char> bytes_;  // and back
  std::unordered_map<Pair, Merge> merges_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> load_bpe_tokenizer(const ModelFile& file,
                                                      Vocabulary vocabulary) {
  const auto name = file.text("tokenizer.ggml.pre");
  if (!name) return name.error();
  auto rules = PreTokenizer::named(name->value_or("default"));
  if (!rules) return file.wrong("tokenizer.ggml.pre", rules.error().message);
  const auto merges = file.strings("tokenizer.ggml.merges");
  if (!merges) return merges.error();
  if (*merges == nullptr) return file.missing("tokenizer.ggml.merges");
  return std::unique_ptr<Tokenizer>(
      new BpeTokenizer(std::move(vocabulary), std::move(*rules), **merges));
}

}  // namespace backplane::local
