// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/commands/tokenize.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "plugins/backends/local/commands/commands.hpp"
#include "plugins/backends/local/files/mapped_file.hpp"
#include "plugins/backends/local/store/model_store.hpp"
#include "plugins/backends/local/tokenizer/sentencepiece_model.hpp"
#include "plugins/backends/local/tokenizer/tokenizer_json.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDone = 0;
constexpr std::uint32_t kFailed = 1;
constexpr std::uint32_t kWrongUsage = 2;

Result<ModelFile> open_tokenizer(const std::string& model) {
  const auto found = find_model_path(model);
  if (!found) return found.error();
  std::error_code failure;
  fs::path path = *found;
  if (fs::is_directory(path, failure)) {
    const fs::path sentencepiece = path / "tokenizer.model";
    path /= "tokenizer.json";
    if (!fs::exists(path, failure) && fs::exists(sentencepiece, failure)) path = sentencepiece;
  }
  const bool is_sentencepiece = path.extension() == ".model";
  if (path.extension() != ".json" && !is_sentencepiece) return ModelFile::open(path);
  const auto mapped = MappedFile::open(path);
  if (!mapped) return mapped.error();
  ModelFile file(path);
  const auto bytes = mapped->bytes();
  const auto read = is_sentencepiece ? &read_sentencepiece_model : &read_tokenizer_json;
  const auto status = read({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
  if (!status) return status.error();
  return file;
}

Status check_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = decode_utf8(text.substr(at));
    if (next.value == kReplacement && next.size == 1) {
      return invalid_argument("the text is not UTF-8 at byte " + std::to_string(at));
    }
    at += next.size;
  }
  return ok();
}

Result<std::string> read_input() {
  std::string text;
  std::string piece(1u << 16, '\0');
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), stdin)) {
    text.append(piece, 0, size);
    if (text.size() > kTokenizedBytesMax) {
      return invalid_argument("the text has more than 64 MiB; give it in parts");
    }
  }
  if (std::ferror(stdin) != 0) return invalid_argument("standard input cannot be read");
  return text;
}

Result<std::string> tokenize_input(const std::string& model, EncodeOptions options) {
  const auto text = read_input();
  if (!text) return text;
  return tokenize(model, *text, options);
}

}  // namespace

Result<std::string> tokenize(const std::string& model, std::string_view text,
                             EncodeOptions options) {
  if (auto status = check_utf8(text); !status) return status.error();
  const auto file = open_tokenizer(model);
  if (!file) return file.error();
  const auto tokenizer = Tokenizer::load(*file);
  if (!tokenizer) return tokenizer.error();
  std::string line = "[";
  for (const Token token : (*tokenizer)->encode(text, options)) {
    line += (line.size() > 1 ? ", " : "") + std::to_string(token);
  }
  return line + "]";
}

std::uint32_t run_tokenize_command(Host, const std::vector<std::string>& arguments) {
  CLI::App app{"Print the token ids of standard input as one line of JSON", "backplane tokenize"};
  std::string model;
  EncodeOptions options;
  app.add_option("MODEL", model,
                 "A GGUF file, a folder with a tokenizer.json or tokenizer.model, such a file, or "
                 "hf:ORG/REPO[:FILE] in the store")
      ->required();
  app.add_flag("--special", options.parse_special,
               "Names of special tokens in the text, such as <|im_end|>, are those tokens");
  app.add_flag("--ends", options.add_special,
               "Put the tokens before and after the text that the model wants there");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  }
  const auto line = tokenize_input(model, options);
  if (!line) {
    std::cerr << "backplane tokenize: " << line.error().message << '\n';
    return kFailed;
  }
  std::cout << *line << '\n';
  return std::cout.flush() ? kDone : kFailed;
}

}  // namespace backplane::local
