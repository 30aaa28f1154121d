// SPDX-License-Identifier: Apache-2.0
// SentencePiece's BPE: spaces are U+2581, characters join into the token of the highest score,
// characters without a token become their bytes.
#include <array>

#include "plugins/backends/local/tokenizer/merge_list.hpp"
#include "plugins/backends/local/tokenizer/merge_queue.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte of "<0x0A>", or -1.
int byte_of(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const int high = hex_digit(text[3]);
  const int low = hex_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

class SpmTokenizer final : public Tokenizer {
 public:
  SpmTokenizer(Vocabulary vocabulary, bool adds_prefix, const MetadataArray* merges)
      : Tokenizer(std::move(vocabulary)), adds_prefix_(adds_prefix) {
    if (merges != nullptr) merges_.emplace(this->vocabulary(), *merges);
    bytes_.fill(this->vocabulary().unknown());
    for (std::size_t i = 0; i < this->vocabulary().size(); ++i) {
      const auto token = static_cast<Token>(i);
      const int byte = byte_of(this->vocabulary().text(token));
      if (byte >= 0) bytes_[static_cast<std::size_t>(byte)] = token;
    }
  }

 private:
  void encode_plain(std::string_view text, bool first, std::vector<Token>& out) const override {
    const std::string marked = mark_spaces(text, first && adds_prefix_);
    std::vector<MergePiece> pieces = split_characters(marked, vocabulary());
    merge_pieces(pieces, [this](const MergePiece& left, const MergePiece& right) {
      return merges_ ? merges_->find(left.token, right.token) : merge_by_score(left, right);
    });
    for (const MergePiece& piece : pieces) {
      if (piece.text.empty()) continue;
      if (piece.token >= 0) {
        out.push_back(piece.token);
      } else {
        append_bytes(piece.text, out);
      }
    }
  }

  std::optional<Merge> merge_by_score(const MergePiece& left, const MergePiece& right) const {
    const std::string_view joined(left.text.data(), left.text.size() + right.text.size());
    const auto token = vocabulary().find(joined);
    if (!token) return std::nullopt;
    return Merge{-static_cast<double>(vocabulary().score(*token)), *token};
  }

  std::string plain_piece(Token token) const override {
    const std::string_view text = vocabulary().text(token);
    const int byte = vocabulary().type(token) == TokenType::kByte ? byte_of(text) : -1;
    if (byte >= 0) return std::string(1, static_cast<char>(byte));
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      const bool space = text.substr(i).starts_with(kSpaceMark);
      out += space ? ' ' : text[i];
      i += space ? kSpaceMark.size() : 1;
    }
    return out;
  }

  bool adds_bos() const override { return true; }

  static std::string mark_spaces(std::string_view text, bool prefix) {
    std::string marked;
    marked.reserve(text.size() + kSpaceMark.size());
    if (prefix) marked += kSpaceMark;
    for (const char c : text) {
      if (c == ' ') {
        marked += kSpaceMark;
      } else {
        marked += c;
      }
    }
    return marked;
  }

  void append_bytes(std::string_view text, std::vector<Token>& out) const {
    for (const char c : text) {
      const auto& token = bytes_[static_cast<unsigned char>(c)];
      if (token) out.push_back(*token);
    }
  }

  bool adds_prefix_;
  std::optional<MergeList> merges_;  // instead of scores
  std::array<std::optional<Token>, 256> bytes_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> load_spm_tokenizer(const ModelFile& file,
                                                      Vocabulary vocabulary) {
  const auto prefix = file.boolean("tokenizer.ggml.add_space_prefix");
  if (!prefix) return prefix.error();
  const auto merges = file.strings("tokenizer.ggml.merges");
  if (!merges) return merges.error();
  if (*merges == nullptr && file.find("tokenizer.ggml.scores") == nullptr) {
    return file.missing("tokenizer.ggml.scores");
  }
  return std::unique_ptr<Tokenizer>(
      new SpmTokenizer(std::move(vocabulary), prefix->value_or(true), *merges));
}

}  // namespace backplane::local
