// SPDX-License-Identifier: Apache-2.0
// Logprobs of tokens, which events carry in the form of chat.completions, in that of completions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::http {

// What stands between the brackets of a JSON array.
std::string_view array_inside(std::string_view array);

// Appends {"tokens", "token_logprobs", "top_logprobs", "text_offset"} of `entries`, elements of
// logprobs.content; null where they are not. Offsets count characters from `characters` on, which
// is moved behind the last token.
void append_completion_logprobs(std::string& out, std::string_view entries,
                                std::uint64_t& characters);

}  // namespace backplane::http
