// SPDX-License-Identifier: Apache-2.0
// Logprobs as bp_event carries them.
#pragma once

#include <span>
#include <string>

#include "plugins/backends/local/sampling/logprobs.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

// A JSON array of OpenAI's logprobs.content. A token that is a part of a character shows as U+FFFD;
// its bytes are exact.
void append_logprobs(std::string& out, std::span<const LogprobEntry> entries,
                     const Tokenizer& tokenizer);

}  // namespace backplane::local
