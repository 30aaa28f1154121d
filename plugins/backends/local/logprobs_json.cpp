// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/logprobs_json.hpp"

#include <boost/json.hpp>

#include "plugins/backends/local/tokenizer/detokenizer.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

json::object token_of(const TokenLogprob& one, const Tokenizer& tokenizer) {
  std::string piece = tokenizer.piece(one.token);
  if (piece.empty()) piece = tokenizer.vocabulary().text(one.token);
  json::array bytes;
  for (const char byte : piece) bytes.emplace_back(static_cast<unsigned char>(byte));
  Detokenizer whole;
  std::string text = whole.push(piece);
  text += whole.flush();
  return {{"token", text}, {"logprob", one.logprob}, {"bytes", std::move(bytes)}};
}

}  // namespace

void append_logprobs(std::string& out, std::span<const LogprobEntry> entries,
                     const Tokenizer& tokenizer) {
  json::array all;
  for (const LogprobEntry& entry : entries) {
    json::object one = token_of(entry.picked, tokenizer);
    json::array top;
    for (const TokenLogprob& other : entry.top) top.push_back(token_of(other, tokenizer));
    one.emplace("top_logprobs", std::move(top));
    all.push_back(std::move(one));
  }
  out += json::serialize(all);
}

}  // namespace backplane::local
