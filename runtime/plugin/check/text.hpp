// SPDX-License-Identifier: Apache-2.0
// What the conformance check asks of texts that a plugin hands over.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <string>
#include <string_view>

namespace backplane {

bool is_utf8(std::string_view text);

// A JSON array of objects with a text "token" and a number "logprob".
bool is_logprobs(std::string_view text);

bool is_json_object(std::string_view text);

// What is wrong with the description of a plugin of this kind; empty: nothing.
std::string fault_of_description(PluginKind kind, std::string_view text);

}  // namespace backplane
