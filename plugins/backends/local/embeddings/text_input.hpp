// SPDX-License-Identifier: Apache-2.0
// Texts that requests for embeddings and rankings bring, what may be cut off them, and how they
// become tokens.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/engine/engine.hpp"

namespace backplane::local {

inline constexpr std::size_t kTextInputsMax = 2048;  // of one request

struct TextInput {
  std::string text;
  std::vector<Token> tokens;  // where there are any: given in place of the text
};

struct Truncation {
  enum class Cut { kNothing, kStart, kEnd };
  Cut cut = Cut::kNothing;       // what is cut off where a text is too long
  std::uint32_t tokens_max = 0;  // 0: the context
};

// Fields "truncate" (true, false, "NONE", "START", "END") and "truncate_prompt_tokens" (a number,
// or -1 for the context).
Result<Truncation> read_truncation(const boost::json::object& body);

// `place` names the input in messages. The tokens that the model wants at the beginning and at the
// end stay where something is cut off.
Result<std::vector<Token>> input_tokens(const Engine& engine, const TextInput& input,
                                        const Truncation& truncation, const std::string& place);

}  // namespace backplane::local
