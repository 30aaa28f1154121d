// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/rerank/rank_prompt.hpp"

#include <algorithm>
#include <string_view>

namespace backplane::local {
namespace {

constexpr std::string_view kQuery = "{query}";
constexpr std::string_view kDocument = "{document}";

// The template with the query in it, before the document and after it.
struct Sides {
  std::string before, after;
};

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

Sides sides_of(const std::string& prompt_template, const std::string& query) {
  const std::size_t at = prompt_template.find(kDocument);
  Sides sides{prompt_template.substr(0, at), {}};
  if (at != std::string::npos) sides.after = prompt_template.substr(at + kDocument.size());
  replace_all(sides.before, kQuery, query);
  replace_all(sides.after, kQuery, query);
  return sides;
}

void append(std::vector<Token>& to, const std::vector<Token>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Error too_long(const std::string& place, std::size_t tokens, std::size_t context) {
  return {Code::kInvalidArgument,
          place + ": with the query it has " + std::to_string(tokens) +
              " tokens; the context holds " + std::to_string(context) +
              ": shorten it, or ask for \"truncate\": true",
          "context_length_exceeded", 400, 0};
}

}  // namespace

Result<std::vector<Token>> rank_tokens(const Engine& engine, const std::string& prompt_template,
                                       const std::string& query, const std::string& document,
                                       const Truncation& truncation, const std::string& place) {
  const Tokenizer& tokenizer = engine.tokenizer();
  const std::size_t asked = truncation.tokens_max == 0 ? SIZE_MAX : truncation.tokens_max;
  const std::size_t most = std::min<std::size_t>(asked, engine.info().context_tokens);
  const bool cuts = truncation.cut != Truncation::Cut::kNothing;
  std::vector<Token> before, after;
  if (prompt_template.empty()) {
    before = tokenizer.encode(query, {true, false});
    const auto eos = tokenizer.vocabulary().eos();
    if (eos && (before.empty() || before.back() != *eos)) before.push_back(*eos);
    if (eos && tokenizer.vocabulary().adds_eos().value_or(false)) after.push_back(*eos);
  } else {
    const Sides sides = sides_of(prompt_template, query);
    auto whole = tokenizer.encode(sides.before + document + sides.after, {false, true});
    if (whole.size() <= most) return whole;
    if (!cuts) return too_long(place, whole.size(), most);
    before = tokenizer.encode(sides.before, {false, true});
    after = tokenizer.encode(sides.after, {false, true});
  }
  std::vector<Token> text = tokenizer.encode(document, {false, false});
  const std::size_t around = before.size() + after.size();
  if (around + text.size() > most) {
    if (!cuts || around >= most) return too_long(place, around + text.size(), most);
    const auto excess = static_cast<std::ptrdiff_t>(around + text.size() - most);
    const bool at_start = truncation.cut == Truncation::Cut::kStart;
    const auto begin = at_start ? text.begin() : text.end() - excess;
    text.erase(begin, begin + excess);
  }
  append(before, text);
  append(before, after);
  return before;
}

}  // namespace backplane::local
