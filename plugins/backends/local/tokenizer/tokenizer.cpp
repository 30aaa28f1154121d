// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(const ModelFile& file) {
  constexpr std::string_view kKey = "tokenizer.ggml.model";
  const auto model = file.text(kKey);
  if (!model) return model.error();
  if (!model->has_value()) return file.missing(kKey);
  auto vocabulary = Vocabulary::load(file);
  if (!vocabulary) return vocabulary.error();
  if (**model == "llama") return load_spm_tokenizer(file, std::move(*vocabulary));
  if (**model == "gpt2") return load_bpe_tokenizer(file, std::move(*vocabulary));
  return file.wrong(kKey, "\"" + std::string(model->value().substr(0, 64)) +
                              "\" is not supported; llama and gpt2 are");
}

std::vector<Token> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<Token> out;
  if (options.add_special && adds_bos() && vocabulary_.bos()) out.push_back(*vocabulary_.bos());
  bool first = true;
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    if (end > begin) encode_plain(text.substr(begin, end - begin), first, out);
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto token = vocabulary_.special_prefix(text.substr(at), options.parse_special);
    if (!token) {
      ++at;
      continue;
    }
    close(at);
    out.push_back(*token);
    first = true;
    at += vocabulary_.text(*token).size();
    begin = at;
  }
  close(text.size());
  const bool adds_eos = vocabulary_.adds_eos().value_or(false);
  if (options.add_special && adds_eos && vocabulary_.eos()) out.push_back(*vocabulary_.eos());
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
