// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer_json.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

#include "plugins/backends/local/tokenizer/tokenizer_json_steps.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

bool is_byte_token(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  return text.size() == 6 && text.starts_with("<0x") && hex(text[3]) && hex(text[4]) &&
         text[5] == '>';
}

// A type anywhere among the steps.
bool has_step(const json::value& value, const char* list, std::string_view type) {
  if (string_of(member_of(value, "type")) == type) return true;
  const json::value& steps = member_of(value, list);
  if (!steps.is_array()) return false;
  return std::any_of(
      steps.get_array().begin(), steps.get_array().end(),
      [&](const json::value& step) { return string_of(member_of(step, "type")) == type; });
}

class DocumentReader {
 public:
  explicit DocumentReader(const json::value& document)
      : document_(document), model_(member_of(document, "model")) {}

  Result<TokenizerDraft> read() {
    if (!model_.is_object()) return invalid_argument("model: expected an object");
    for (const auto step : {&DocumentReader::read_kind, &DocumentReader::read_vocabulary,
                            &DocumentReader::read_added, &DocumentReader::read_merges}) {
      if (auto status = (this->*step)(); !status) return status.error();
    }
    if (auto s = read_normalizer(member_of(document_, "normalizer"), draft_); !s) return s.error();
    const json::value& pre = member_of(document_, "pre_tokenizer");
    if (auto s = read_pre_tokenizer(pre, draft_); !s) return s.error();
    const json::value& post = member_of(document_, "post_processor");
    if (auto s = read_post_processor(post, draft_); !s) return s.error();
    return std::move(draft_);
  }

 private:
  Status read_kind() {
    std::string_view type = string_of(member_of(model_, "type"));
    if (type.empty()) {  // older documents do not say
      type = member_of(model_, "merges").is_array() ? "BPE" : "WordPiece";
    }
    if (type == "BPE") return read_bpe_kind();
    if (type == "WordPiece") {
      draft_.model = "bert";
      return ok();
    }
    return invalid_argument("model.type: \"" + printable(type) + "\" is not supported");
  }

  Status read_bpe_kind() {
    const json::value& pre = member_of(document_, "pre_tokenizer");
    draft_.model = has_step(pre, "pretokenizers", "ByteLevel") ? "gpt2" : "llama";
    draft_.ignore_merges = flag_of(member_of(model_, "ignore_merges"), false);
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!string_of(member_of(model_, name)).empty()) {
        return invalid_argument("model." + std::string(name) + " is not supported");
      }
    }
    const json::value& normalizer = member_of(document_, "normalizer");
    const bool marks = has_step(normalizer, "normalizers", "Replace") ||
                       has_step(pre, "pretokenizers", "Metaspace");
    if (draft_.model == "gpt2" || marks) return ok();
    return invalid_argument(
        "model: a BPE whose words are neither bytes (ByteLevel) nor marked by U+2581 "
        "(Metaspace, Replace) is not supported");
  }

  Status add_token(std::string_view text, const json::value& id, TokenType type) {
    boost::system::error_code failure;
    const auto number = id.is_number() ? id.to_number<std::uint64_t>(failure) : UINT64_MAX;
    if (failure || !draft_.reserve(number)) {
      return invalid_argument("the id of the token \"" + printable(text) +
                              "\" is not one of 0 to " + std::to_string(kVocabularyTokensMax - 1));
    }
    DraftToken& token = draft_.tokens[number];
    token.text = text;
    token.type = type;
    return ok();
  }

  Status read_vocabulary() {
    const json::value& vocabulary = member_of(model_, "vocab");
    if (!vocabulary.is_object()) return invalid_argument("model.vocab: expected an object");
    const std::string_view unknown = string_of(member_of(model_, "unk_token"));
    const bool bytes = flag_of(member_of(model_, "byte_fallback"), false);
    for (const auto& [text, id] : vocabulary.get_object()) {
      const bool is_unknown = !unknown.empty() && text == unknown;
      const TokenType type = is_unknown                     ? TokenType::kUnknown
                             : bytes && is_byte_token(text) ? TokenType::kByte
                                                            : TokenType::kNormal;
      if (auto status = add_token(text, id, type); !status) return status;
      if (is_unknown) draft_.unknown = id.to_number<Token>();
    }
    if (draft_.model == "bert") mark_words();
    return ok();
  }

  // GGUF marks how words begin, WordPiece how they go on.
  void mark_words() {
    const json::value& given = member_of(model_, "continuing_subword_prefix");
    const std::string prefix(given.is_string() ? string_of(given) : "##");
    for (DraftToken& token : draft_.tokens) {
      if (token.type != TokenType::kNormal) continue;
      if (!prefix.empty() && token.text.starts_with(prefix)) {
        token.text.erase(0, prefix.size());
      } else {
        token.text.insert(0, kSpaceMark);
      }
    }
  }

  Status read_added() {
    const json::value& added = member_of(document_, "added_tokens");
    if (added.is_null()) return ok();
    if (!added.is_array()) return invalid_argument("added_tokens: expected a list");
    for (const json::value& entry : added.get_array()) {
      const std::string_view text = string_of(member_of(entry, "content"));
      const json::value& id = member_of(entry, "id");
      if (text.empty()) return invalid_argument("added_tokens: a token has no content");
      const bool special = flag_of(member_of(entry, "special"), false);
      const TokenType type = special ? TokenType::kControl : TokenType::kUserDefined;
      const bool unknown = draft_.unknown && id.is_number() && id == json::value(*draft_.unknown);
      if (auto s = add_token(text, id, unknown ? TokenType::kUnknown : type); !s) return s;
      DraftToken& token = draft_.tokens[id.to_number<std::uint64_t>()];
      if (flag_of(member_of(entry, "lstrip"), false)) token.flags |= kTokenStripsLeft;
      if (flag_of(member_of(entry, "rstrip"), false)) token.flags |= kTokenStripsRight;
      if (flag_of(member_of(entry, "single_word"), false)) token.flags |= kTokenSingleWord;
    }
    return ok();
  }

  Status read_merges() {
    if (draft_.model != "gpt2" && draft_.model != "llama") return ok();
    const json::value& merges = member_of(model_, "merges");
    if (!merges.is_array()) return invalid_argument("model.merges: expected a list");
    for (const json::value& merge : merges.get_array()) {
      const json::array* pair = merge.if_array();
      const bool is_pair =
          pair != nullptr && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string();
      if (!is_pair && !merge.is_string()) {
        return invalid_argument("model.merges: expected texts or pairs of texts");
      }
      draft_.merges.push_back(is_pair ? std::string(string_of((*pair)[0])) + ' ' +
                                            std::string(string_of((*pair)[1]))
                                      : std::string(string_of(merge)));
    }
    return ok();
  }

  const json::value& document_;
  const json::value& model_;
  TokenizerDraft draft_;
};

}  // namespace

Status read_tokenizer_json(std::string_view text, ModelFile& out) {
  if (text.size() > kTokenizerJsonBytesMax) {
    return out.wrong("tokenizer.json", "has more than 64 MiB");
  }
  boost::system::error_code failure;
  const json::value document = json::parse(text, failure);
  if (failure || !document.is_object()) {
    return out.wrong("tokenizer.json", "is not a JSON object; fetch it again");
  }
  auto draft = DocumentReader(document).read();
  if (!draft) return out.wrong("tokenizer.json", draft.error().message);
  if (draft->tokens.empty()) return out.wrong("tokenizer.json", "model.vocab is empty");
  store(std::move(*draft), out);
  return ok();
}

}  // namespace backplane::local
