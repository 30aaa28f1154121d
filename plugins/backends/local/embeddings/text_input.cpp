// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/text_input.hpp"

#include <algorithm>
#include <boost/json/value.hpp>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Cut = Truncation::Cut;

Status read_cut(const json::value& value, Truncation& out) {
  if (value.is_bool()) {
    out.cut = value.as_bool() ? Cut::kEnd : Cut::kNothing;
    return ok();
  }
  const std::string_view name = value.is_string() ? value.as_string() : std::string_view();
  if (name == "NONE") {
    out.cut = Cut::kNothing;
  } else if (name == "START") {
    out.cut = Cut::kStart;
  } else if (name == "END") {
    out.cut = Cut::kEnd;
  } else {
    return refuse("truncate", "expected true, false, \"NONE\", \"START\" or \"END\"");
  }
  return ok();
}

Status read_tokens_max(const json::value& value, Truncation& out) {
  boost::system::error_code failure;
  const auto number = value.is_number() ? value.to_number<std::int64_t>(failure) : 0;
  if (failure || number == 0 || number < -1 || number > UINT32_MAX) {
    return refuse("truncate_prompt_tokens", "expected a whole number of at least 1, or -1");
  }
  if (out.cut == Cut::kNothing) out.cut = Cut::kEnd;
  out.tokens_max = number < 0 ? 0 : static_cast<std::uint32_t>(number);
  return ok();
}

Error too_long(const std::string& place, const std::string& size, std::size_t most) {
  return {Code::kInvalidArgument,
          place + ": has " + size + "; the context holds " + std::to_string(most) +
              " tokens: shorten it, or ask for \"truncate\": true",
          "context_length_exceeded", 400, 0};
}

// Keeps `kept` tokens, the first and the last of them where they are the model's own.
void cut_tokens(std::vector<Token>& tokens, Cut cut, std::size_t kept,
                const Vocabulary& vocabulary) {
  const std::size_t first = !tokens.empty() && tokens.front() == vocabulary.bos() ? 1 : 0;
  const std::size_t last = tokens.size() > first && tokens.back() == vocabulary.eos() ? 1 : 0;
  if (kept <= first + last) return tokens.resize(kept);
  const auto excess = static_cast<std::ptrdiff_t>(tokens.size() - kept);
  const auto begin = cut == Cut::kStart ? tokens.begin() + static_cast<std::ptrdiff_t>(first)
                                        : tokens.end() - static_cast<std::ptrdiff_t>(last) - excess;
  tokens.erase(begin, begin + excess);
}

}  // namespace

Result<Truncation> read_truncation(const json::object& body) {
  Truncation out;
  const auto read = [&](const char* name, Status (*take)(const json::value&, Truncation&)) {
    const json::value* value = member(body, name);
    return value == nullptr ? ok() : take(*value, out);
  };
  if (auto status = read("truncate", &read_cut); !status) return status.error();
  if (auto status = read("truncate_prompt_tokens", &read_tokens_max); !status) {
    return status.error();
  }
  return out;
}

Result<std::vector<Token>> input_tokens(const Engine& engine, const TextInput& input,
                                        const Truncation& truncation, const std::string& place) {
  const std::size_t context = engine.info().context_tokens;
  const Vocabulary& vocabulary = engine.tokenizer().vocabulary();
  std::vector<Token> tokens = input.tokens;
  if (tokens.empty()) {
    const bool fits = input.text.size() / vocabulary.longest_bytes() <= context;
    if (!fits && truncation.cut == Cut::kNothing) {
      return too_long(place, std::to_string(input.text.size()) + " bytes", context);
    }
    tokens = engine.tokenizer().encode(input.text, {true, false});
  }
  const std::size_t asked = truncation.tokens_max == 0 ? context : truncation.tokens_max;
  const std::size_t most = std::min<std::size_t>(asked, context);
  if (truncation.cut != Cut::kNothing && tokens.size() > most) {
    cut_tokens(tokens, truncation.cut, most, vocabulary);
  }
  if (tokens.size() > context) {
    return too_long(place, std::to_string(tokens.size()) + " tokens", context);
  }
  if (tokens.empty()) return refuse(place, "is empty");
  return tokens;
}

}  // namespace backplane::local
