// SPDX-License-Identifier: Apache-2.0
// WordPiece: words between white space and punctuation, each cut into the longest tokens from its
// beginning. Tokens that begin a word are marked by U+2581.
#include <utf8proc.h>

#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kWordMark = "\xe2\x96\x81";

bool is_punctuation(std::uint32_t c) {
  if (c < 0x80)
    return c > 0x20 && c < 0x7f && (c < '0' || c > '9') && (c < 'A' || c > 'Z') &&
           (c < 'a' || c > 'z');
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

class WpmTokenizer final : public Tokenizer {
 public:
  explicit WpmTokenizer(Vocabulary vocabulary) : Tokenizer(std::move(vocabulary)) {}

 private:
  void encode_plain(std::string_view text, bool, std::vector<Token>& out) const override {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint next = decode_utf8(text.substr(at));
      const bool space = is_space(next.value);
      if (space || is_punctuation(next.value)) {
        encode_word(text.substr(begin, at - begin), out);
        if (!space) encode_word(text.substr(at, next.size), out);
        begin = at + next.size;
      }
      at += next.size;
    }
    encode_word(text.substr(begin), out);
  }

  // A word of which any part is no token is unknown as a whole.
  void encode_word(std::string_view word, std::vector<Token>& out) const {
    if (word.empty()) return;
    const std::string marked = std::string(kWordMark).append(word);
    const std::size_t before = out.size();
    for (std::size_t at = 0; at < marked.size();) {
      const std::string_view rest = std::string_view(marked).substr(at);
      std::size_t size = std::min(rest.size(), vocabulary().longest_bytes());
      while (size > 0 && !vocabulary().find(rest.substr(0, size))) --size;
      if (size == 0) {
        out.resize(before);
        if (vocabulary().unknown()) out.push_back(*vocabulary().unknown());
        return;
      }
      out.push_back(*vocabulary().find(rest.substr(0, size)));
      at += size;
    }
  }

  std::string plain_piece(Token token) const override {
    const std::string_view text = vocabulary().text(token);
    if (!text.starts_with(kWordMark)) return std::string(text);
    return " " + std::string(text.substr(kWordMark.size()));
  }

  bool adds_bos() const override { return true; }
  bool adds_eos() const override { return true; }
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> load_wpm_tokenizer(const ModelFile&, Vocabulary vocabulary) {
  return std::unique_ptr<Tokenizer>(new WpmTokenizer(std::move(vocabulary)));
}

}  // namespace backplane::local
