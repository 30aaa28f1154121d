// SPDX-License-Identifier: Apache-2.0
// A request for embeddings, as OpenAI has it.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <vector>

#include "plugins/backends/local/embeddings/text_input.hpp"

namespace backplane::local {

struct EmbeddingRequest {
  std::vector<TextInput> inputs;
  std::uint32_t dimensions = 0;  // 0: all
  bool is_base64 = false;
  Truncation truncation;
};

// Errors are kInvalidArgument and begin with the field. Any thread.
Result<EmbeddingRequest> parse_embedding_request(const boost::json::object& body);

}  // namespace backplane::local
