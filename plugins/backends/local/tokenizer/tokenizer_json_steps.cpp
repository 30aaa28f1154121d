// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer_json_steps.hpp"

#include "plugins/backends/local/tokenizer/pre_tokenizer.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";
// ASCII's punctuation and Unicode's.
constexpr std::string_view kPunctuation = R"([\p{P}$+<=>^`|~])";

Error unsupported(const std::string& place, const std::string& what) {
  return invalid_argument(place + ": " + what + " is not supported");
}

std::string quoted(std::string_view text) {
  return "\"" + printable(text) + "\"";
}

// The steps of a "Sequence", or the one step there is.
json::array steps_of(const json::value& value, const char* list) {
  if (value.is_null()) return {};
  if (string_of(member_of(value, "type")) != "Sequence") return {value};
  const json::value& steps = member_of(value, list);
  return steps.is_array() ? steps.get_array() : json::array();
}

void add_normalizer(TokenizerDraft& draft, std::string_view name) {
  draft.normalizer += (draft.normalizer.empty() ? "" : " ") + std::string(name);
}

Status read_replace(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const json::value& pattern = member_of(step, "pattern");
  const std::string_view text = string_of(member_of(pattern, "String"));
  const std::string_view regex = string_of(member_of(pattern, "Regex"));
  const std::string_view content = string_of(member_of(step, "content"));
  if (text == " " && content == kSpaceMark && draft.model != "gpt2") return ok();
  return unsupported(place,
                     "replacing " + quoted(text.empty() ? regex : text) + " by " + quoted(content));
}

Status read_bert_normalizer(const json::value& step, TokenizerDraft& draft) {
  const bool lower = flag_of(member_of(step, "lowercase"), true);
  if (flag_of(member_of(step, "clean_text"), true)) add_normalizer(draft, "bert-clean");
  if (flag_of(member_of(step, "handle_chinese_chars"), true)) add_normalizer(draft, "bert-chinese");
  if (flag_of(member_of(step, "strip_accents"), lower)) add_normalizer(draft, "strip-accents");
  if (lower) add_normalizer(draft, "lowercase");
  return ok();
}

Status read_normalizer_step(const std::string& place, const json::value& step,
                            TokenizerDraft& draft) {
  const std::string_view type = string_of(member_of(step, "type"));
  constexpr std::pair<std::string_view, std::string_view> kForms[] = {{"NFC", "nfc"},
                                                                      {"NFD", "nfd"},
                                                                      {"NFKC", "nfkc"},
                                                                      {"NFKD", "nfkd"},
                                                                      {"Lowercase", "lowercase"}};
  for (const auto& [name, form] : kForms) {
    if (type == name) return add_normalizer(draft, form), ok();
  }
  if (type == "Prepend" && string_of(member_of(step, "prepend")) == kSpaceMark) {
    draft.space_prefix = true;
    return ok();
  }
  if (type == "Replace") return read_replace(place, step, draft);
  if (type == "BertNormalizer") return read_bert_normalizer(step, draft);
  return unsupported(place, "the normalizer " + quoted(type));
}

// Each character by its number, so that none means anything to the engine.
std::string literal_pattern(std::string_view text) {
  std::string pattern;
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    pattern += "\\x{";
    for (int shift = 20; shift >= 0; shift -= 4) {
      pattern += "0123456789abcdef"[(next.value >> shift) & 15];
    }
    pattern += '}';
    text.remove_prefix(next.size);
  }
  return pattern;
}

Status read_split(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const json::value& pattern = member_of(step, "pattern");
  const std::string_view regex = string_of(member_of(pattern, "Regex"));
  const std::string_view text = string_of(member_of(pattern, "String"));
  const std::string_view behavior = string_of(member_of(step, "behavior"));
  // Spaces are marks by then, so that it finds nothing.
  if (draft.model == "llama" && text == " ") return ok();
  const bool inverted = flag_of(member_of(step, "invert"), false);
  if (behavior != "Isolated" && !(behavior == "Removed" && inverted)) {
    return unsupported(place, "the behavior " + quoted(behavior));
  }
  std::string found = regex.empty() ? literal_pattern(text) : std::string(regex);
  if (found.empty()) return ok();
  if (const auto compiled = WordPattern::compile(found); !compiled) {
    return invalid_argument(place + ": " + compiled.error().message);
  }
  draft.patterns.push_back(std::move(found));
  return ok();
}

Status read_byte_level(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  if (flag_of(member_of(step, "add_prefix_space"), true)) {
    if (!draft.patterns.empty()) return unsupported(place, "add_prefix_space after another step");
    draft.space_prefix = true;
  }
  draft.bytes_written = true;
  if (flag_of(member_of(step, "use_regex"), true)) draft.patterns.emplace_back(gpt2_word_pattern());
  return ok();
}

Status read_punctuation(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const std::string_view behavior = string_of(member_of(step, "behavior"));
  if (behavior != "Contiguous" && behavior != "Isolated" && !behavior.empty()) {
    return unsupported(place, "the behavior " + quoted(behavior));
  }
  draft.patterns.push_back(std::string(kPunctuation) + (behavior == "Contiguous" ? "+" : ""));
  return ok();
}

Status read_metaspace(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  if (string_of(member_of(step, "replacement")) != kSpaceMark)
    return unsupported(place, "replacement");
  const json::value& scheme = member_of(step, "prepend_scheme");
  const std::string_view when = string_of(scheme);
  const bool prefix = scheme.is_null() ? flag_of(member_of(step, "add_prefix_space"), true)
                                       : when == "always" || when == "first";
  draft.space_prefix = prefix;
  draft.space_prefix_once = prefix && when == "first";
  return flag_of(member_of(step, "split"), true) ? Status(unsupported(place, "split")) : ok();
}

Status read_pre_step(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const std::string_view type = string_of(member_of(step, "type"));
  if (type == "Split") return read_split(place, step, draft);
  if (draft.model == "gpt2") {
    if (type == "ByteLevel") return read_byte_level(place, step, draft);
    if (type == "Punctuation") return read_punctuation(place, step, draft);
    if (type == "Digits") {
      const bool each = flag_of(member_of(step, "individual_digits"), false);
      const std::string digit = draft.bytes_written ? "[0-9]" : R"(\p{N})";
      draft.patterns.push_back(digit + (each ? "" : "+"));
      return ok();
    }
  }
  if (type == "Metaspace" && draft.model == "llama") return read_metaspace(place, step, draft);
  if (type == "BertPreTokenizer" && draft.model == "bert") return ok();
  return unsupported(place, "the step " + quoted(type) + " with a model of this type");
}

Status use_end(const std::string& place, std::optional<Token> token, bool before,
               TokenizerDraft& draft) {
  bool& adds = before ? draft.adds_bos : draft.adds_eos;
  if (!token || static_cast<std::size_t>(*token) >= draft.tokens.size() || adds) {
    return unsupported(place, "adding anything but one known token before and one after the text");
  }
  adds = true;
  (before ? draft.bos : draft.eos) = token;
  return ok();
}

std::optional<Token> token_of(const json::value& value) {
  boost::system::error_code failure;
  const auto id = value.is_number() ? value.to_number<Token>(failure) : -1;
  if (failure || id < 0) return std::nullopt;
  return id;
}

Status read_template(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const json::value& single = member_of(step, "single");
  bool before = true;
  if (!single.is_array()) return invalid_argument(place + ": expected a list \"single\"");
  for (const json::value& part : single.get_array()) {
    const json::value& special = member_of(part, "SpecialToken");
    if (special.is_null()) {
      before = false;
      continue;
    }
    const json::value& known = member_of(step, "special_tokens");
    const json::value& ids =
        member_of(member_of(known, string_of(member_of(special, "id"))), "ids");
    const bool one = ids.is_array() && ids.get_array().size() == 1;
    const auto token = one ? token_of(ids.get_array()[0]) : std::nullopt;
    if (auto status = use_end(place, token, before, draft); !status) return status;
  }
  return ok();
}

Status read_post_step(const std::string& place, const json::value& step, TokenizerDraft& draft) {
  const std::string_view type = string_of(member_of(step, "type"));
  if (type == "ByteLevel") return ok();  // it moves offsets, which nobody asks for
  if (type == "TemplateProcessing") return read_template(place, step, draft);
  if (type != "RobertaProcessing" && type != "BertProcessing") {
    return unsupported(place, "the processor " + quoted(type));
  }
  for (const bool before : {true, false}) {
    const json::value& pair = member_of(step, before ? "cls" : "sep");
    const bool whole = pair.is_array() && pair.get_array().size() == 2;
    const auto token = whole ? token_of(pair.get_array()[1]) : std::nullopt;
    if (auto status = use_end(place, token, before, draft); !status) return status;
  }
  return ok();
}

template <class Read>
Status read_steps(const char* place, const char* list, const json::value& value,
                  TokenizerDraft& draft, const Read& read) {
  const json::array steps = steps_of(value, list);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool nested = string_of(member_of(value, "type")) == "Sequence";
    const std::string where =
        nested ? std::string(place) + "." + list + "[" + std::to_string(i) + "]" : place;
    if (auto status = read(where, steps[i], draft); !status) return status;
  }
  return ok();
}

}  // namespace

Status read_normalizer(const json::value& value, TokenizerDraft& draft) {
  return read_steps("normalizer", "normalizers", value, draft, read_normalizer_step);
}

Status read_pre_tokenizer(const json::value& value, TokenizerDraft& draft) {
  return read_steps("pre_tokenizer", "pretokenizers", value, draft, read_pre_step);
}

Status read_post_processor(const json::value& value, TokenizerDraft& draft) {
  return read_steps("post_processor", "processors", value, draft, read_post_step);
}

const json::value& member_of(const json::value& value, std::string_view name) {
  static const json::value kNull;
  const json::value* found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return found == nullptr ? kNull : *found;
}

std::string_view string_of(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

bool flag_of(const json::value& value, bool fallback) {
  return value.is_bool() ? value.get_bool() : fallback;
}

}  // namespace backplane::local
