// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/sentencepiece_model.hpp"

#include <bit>
#include <cmath>

#include "plugins/backends/local/tokenizer/protobuf_reader.hpp"
#include "plugins/backends/local/tokenizer/tokenizer_draft.hpp"

namespace backplane::local {
namespace {

using Type = ProtobufField::Type;

constexpr std::uint64_t kBpe = 2;
constexpr const char* kModelTypes[] = {"none", "Unigram", "BPE", "Word", "Char"};

Error damaged(const std::string& place) {
  return invalid_argument(place + ": is damaged; fetch the file again");
}

class SentencePieceReader {
 public:
  Result<TokenizerDraft> read(std::string_view bytes) {
    draft_.model = "llama";
    draft_.space_prefix = true;
    ProtobufReader message(bytes);
    while (const auto field = message.next()) {
      if (field->type != Type::kBytes) continue;
      Status status = ok();
      if (field->number == 1) status = read_piece(field->bytes);
      if (field->number == 2) status = read_trainer(field->bytes);
      if (field->number == 3) status = read_normalizer(field->bytes);
      if (!status) return status.error();
    }
    if (message.damaged()) return damaged("the file");
    if (auto status = check(); !status) return status.error();
    draft_.bos = token_of(bos_);
    draft_.eos = token_of(eos_);
    draft_.unknown = token_of(unknown_);
    return std::move(draft_);
  }

 private:
  Status read_piece(std::string_view bytes) {
    const std::string place = "pieces[" + std::to_string(draft_.tokens.size()) + "]";
    if (draft_.tokens.size() == kVocabularyTokensMax) {
      return invalid_argument(place + ": more pieces than " + std::to_string(kVocabularyTokensMax));
    }
    DraftToken token;
    std::uint64_t type = static_cast<std::uint64_t>(TokenType::kNormal);
    ProtobufReader message(bytes);
    while (const auto field = message.next()) {
      if (field->number == 1 && field->type == Type::kBytes) token.text = field->bytes;
      if (field->number == 2 && field->type == Type::kFixed32) {
        token.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
      }
      if (field->number == 3 && field->type == Type::kVarint) type = field->value;
    }
    const bool known = type >= 1 && type <= static_cast<std::uint64_t>(TokenType::kByte);
    if (message.damaged() || token.text.empty() || !std::isfinite(token.score) || !known) {
      return damaged(place);
    }
    token.type = static_cast<TokenType>(type);
    draft_.tokens.push_back(std::move(token));
    return ok();
  }

  Status read_trainer(std::string_view bytes) {
    ProtobufReader message(bytes);
    while (const auto field = message.next()) {
      if (field->type != Type::kVarint) continue;
      if (field->number == 3) model_type_ = field->value;
      if (field->number == 24) spaces_behind_ = field->value != 0;
      if (field->number == 35) byte_fallback_ = field->value != 0;
      if (field->number == 40) unknown_ = field->value;
      if (field->number == 41) bos_ = field->value;
      if (field->number == 42) eos_ = field->value;
    }
    return message.damaged() ? Status(damaged("trainer_spec")) : ok();
  }

  Status read_normalizer(std::string_view bytes) {
    ProtobufReader message(bytes);
    while (const auto field = message.next()) {
      if (field->type == Type::kBytes && field->number == 2) has_map_ = !field->bytes.empty();
      if (field->type != Type::kVarint) continue;
      if (field->number == 3) draft_.space_prefix = field->value != 0;
      if (field->number == 4) removes_spaces_ = field->value != 0;
      if (field->number == 5) marks_spaces_ = field->value != 0;
    }
    return message.damaged() ? Status(damaged("normalizer_spec")) : ok();
  }

  Status check() const {
    const auto refuse = [](const char* place, const std::string& what) {
      return Status(invalid_argument(std::string(place) + ": " + what +
                                     " is not supported; use a tokenizer.json"));
    };
    if (draft_.tokens.empty()) return damaged("pieces");
    if (model_type_ != kBpe) {
      const bool known = model_type_ < std::size(kModelTypes);
      return refuse("trainer_spec.model_type", known ? kModelTypes[model_type_] : "an unknown one");
    }
    if (!byte_fallback_) return refuse("trainer_spec.byte_fallback", "false");
    if (spaces_behind_) return refuse("trainer_spec.treat_whitespace_as_suffix", "true");
    if (has_map_) return refuse("normalizer_spec.precompiled_charsmap", "a map");
    if (removes_spaces_) return refuse("normalizer_spec.remove_extra_whitespaces", "true");
    if (!marks_spaces_) return refuse("normalizer_spec.escape_whitespaces", "false");
    return ok();
  }

  // -1, which is a large number here, stands for none.
  std::optional<Token> token_of(std::uint64_t id) const {
    if (id >= draft_.tokens.size()) return std::nullopt;
    return static_cast<Token>(id);
  }

  TokenizerDraft draft_;
  // Where the file says nothing, the format's defaults.
  std::uint64_t model_type_ = 1;
  std::uint64_t unknown_ = 0, bos_ = 1, eos_ = 2;
  bool byte_fallback_ = false;
  bool spaces_behind_ = false;
  bool has_map_ = false;
  bool removes_spaces_ = true;
  bool marks_spaces_ = true;
};

}  // namespace

Status read_sentencepiece_model(std::string_view bytes, ModelFile& out) {
  if (bytes.size() > kSentencePieceBytesMax) {
    return out.wrong("tokenizer.model", "has more than 64 MiB");
  }
  auto draft = SentencePieceReader().read(bytes);
  if (!draft) return out.wrong("tokenizer.model", draft.error().message);
  store(std::move(*draft), out);
  out.erase("tokenizer.ggml.add_bos_token");
  out.erase("tokenizer.ggml.add_eos_token");
  return ok();
}

}  // namespace backplane::local
