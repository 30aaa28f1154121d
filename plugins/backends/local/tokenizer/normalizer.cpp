// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/normalizer.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

struct Free {
  void operator()(utf8proc_uint8_t* text) const { std::free(text); }
};

template <int kOptions>
std::string normal_form(std::string text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto options = static_cast<utf8proc_option_t>(kOptions | UTF8PROC_STABLE);
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, Free> owned(mapped);
  if (size < 0) return text;  // only for what is no UTF-8, which has been repaired
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

template <class Map>
std::string map_characters(std::string_view text, const Map& map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    map(next.value, out);
    text.remove_prefix(next.size);
  }
  return out;
}

utf8proc_category_t category(std::uint32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

std::string lowercase(std::string text) {
  return map_characters(text, [](std::uint32_t c, std::string& out) {
    const auto lower = utf8proc_tolower(static_cast<utf8proc_int32_t>(c));
    append_utf8(static_cast<std::uint32_t>(lower), out);
    if (c == 0x130) append_utf8(0x307, out);  // the one letter whose lower case is two
  });
}

std::string strip_accents(std::string text) {
  return map_characters(normal_form<UTF8PROC_DECOMPOSE>(std::move(text)),
                        [](std::uint32_t c, std::string& out) {
                          if (category(c) != UTF8PROC_CATEGORY_MN) append_utf8(c, out);
                        });
}

// Controls go, every white space becomes a space.
std::string bert_clean(std::string text) {
  return map_characters(text, [](std::uint32_t c, std::string& out) {
    const bool white = c == '\t' || c == '\n' || c == '\r' || is_space(c);
    if (white) return append_utf8(' ', out);
    const utf8proc_category_t found = category(c);
    const bool control = found == UTF8PROC_CATEGORY_CC || found == UTF8PROC_CATEGORY_CF ||
                         found == UTF8PROC_CATEGORY_CS || found == UTF8PROC_CATEGORY_CO ||
                         found == UTF8PROC_CATEGORY_CN;
    if (c != 0 && c != kReplacement && !control) append_utf8(c, out);
  });
}

bool is_chinese(std::uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

std::string bert_chinese(std::string text) {
  return map_characters(text, [](std::uint32_t c, std::string& out) {
    if (is_chinese(c)) out += ' ';
    append_utf8(c, out);
    if (is_chinese(c)) out += ' ';
  });
}

struct NamedStep {
  std::string_view name;
  std::string (*step)(std::string);
};
constexpr NamedStep kSteps[] = {
    {"nfc", normal_form<UTF8PROC_COMPOSE>},
    {"nfd", normal_form<UTF8PROC_DECOMPOSE>},
    {"nfkc", normal_form<int{UTF8PROC_COMPOSE} | int{UTF8PROC_COMPAT}>},
    {"nfkd", normal_form<int{UTF8PROC_DECOMPOSE} | int{UTF8PROC_COMPAT}>},
    {"lowercase", lowercase},
    {"strip-accents", strip_accents},
    {"bert-clean", bert_clean},
    {"bert-chinese", bert_chinese},
};

}  // namespace

Result<Normalizer> Normalizer::named(std::string_view names) {
  Normalizer normalizer;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const auto* found = std::find_if(std::begin(kSteps), std::end(kSteps),
                                     [&](const NamedStep& step) { return step.name == name; });
    if (found == std::end(kSteps)) {
      return invalid_argument("\"" + std::string(name.substr(0, 64)) + "\" is no normalizer");
    }
    normalizer.steps_.push_back(found->step);
  }
  return normalizer;
}

std::string Normalizer::apply(std::string_view text) const {
  if (steps_.empty()) return std::string(text);
  std::string out = map_characters(
      text, [](std::uint32_t c, std::string& repaired) { append_utf8(c, repaired); });
  for (const Step step : steps_) out = step(std::move(out));
  return out;
}

}  // namespace backplane::local
