// SPDX-License-Identifier: Apache-2.0
// A request to rank documents, and its answer, as Cohere and Jina have them.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/embeddings/text_input.hpp"

namespace backplane::local {

struct RerankRequest {
  std::string query;
  std::vector<std::string> documents;
  std::size_t top_n = 0;  // at most the number of documents
  bool returns_documents = false;
  Truncation truncation;
};

// Errors are kInvalidArgument and begin with the field. Any thread.
Result<RerankRequest> parse_rerank_request(const boost::json::object& body);

// Best first, of equal ones the first first. `scores` are finite, one for each document; `model` is
// a JSON string, quotes included.
std::string rerank_document(const RerankRequest& request, const std::vector<float>& scores,
                            std::string_view model, std::string_view id,
                            std::uint64_t total_tokens);

}  // namespace backplane::local
