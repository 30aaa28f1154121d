// SPDX-License-Identifier: Apache-2.0
// The answer to a request for embeddings, as OpenAI has it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

// RFC 4648, with padding.
std::string base64_of(std::span<const std::byte> bytes);

// One element of "data". Numbers are the shortest that read as the same floats, or the floats'
// bytes, little-endian, in base64. The values are finite.
std::string embedding_item(std::size_t index, std::span<const float> vector, bool is_base64);

// `model` is a JSON string, quotes included.
std::string embedding_document(const std::vector<std::string>& items, std::string_view model,
                               std::uint64_t prompt_tokens);

}  // namespace backplane::local
