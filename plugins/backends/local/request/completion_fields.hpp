// SPDX-License-Identifier: Apache-2.0
// What completions alone have: prompts.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

using Prompt = std::variant<std::string, std::vector<Token>>;

struct CompletionFields {
  std::vector<Prompt> prompts;
  std::optional<std::uint32_t> top_logprobs;
};

Status read_completion_fields(const boost::json::object& body, CompletionFields& out);

}  // namespace backplane::local
