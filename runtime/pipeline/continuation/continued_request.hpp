// SPDX-License-Identifier: Apache-2.0
// The request of a chat, made anew for whoever goes on with an answer that broke off.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <cstdint>

namespace backplane {

// [any-thread] `body`, a JSON document that has been scanned, with `text` as the last message, of
// the assistant, and with `tokens` fewer to be written. Nothing where the request asks for more
// than one plain text (tools, a schema, several choices, logprobs ...), where it ends with words of
// the assistant itself, or where no token is left to write. An empty text adds no message.
std::optional<std::string> continued_request(std::string_view body, std::string_view text,
                                             std::uint64_t tokens);

}  // namespace backplane
