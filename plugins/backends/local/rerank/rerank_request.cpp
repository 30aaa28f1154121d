// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/rerank/rerank_request.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <numeric>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

Status read_query(const json::object& body, std::string& out) {
  const json::value* query = member(body, "query");
  if (query == nullptr || !query->is_string()) return refuse("query", "expected a string");
  out = query->as_string();
  return out.empty() ? Status(refuse("query", "is empty")) : ok();
}

Status read_documents(const json::object& body, std::vector<std::string>& out) {
  const json::value* documents = member(body, "documents");
  if (documents == nullptr || !documents->is_array() || documents->as_array().empty()) {
    return refuse("documents", "expected a list of at least one document");
  }
  if (documents->as_array().size() > kTextInputsMax) {
    return refuse("documents", "at most " + std::to_string(kTextInputsMax) +
                                   " are taken at once; send several requests");
  }
  for (const json::value& document : documents->as_array()) {
    const json::value* text =
        document.is_object() ? document.as_object().if_contains("text") : &document;
    if (text == nullptr || !text->is_string()) {
      return refuse("documents[" + std::to_string(out.size()) + "]",
                    "expected a string, or an object with a text");
    }
    out.emplace_back(text->as_string());
  }
  return ok();
}

Status read_top(const json::object& body, std::size_t documents, std::size_t& out) {
  out = documents;
  const json::value* top = member(body, "top_n");
  if (top == nullptr) return ok();
  boost::system::error_code failure;
  const auto number = top->is_number() ? top->to_number<std::int64_t>(failure) : 0;
  if (failure || number < 1) return refuse("top_n", "expected a whole number of at least 1");
  out = static_cast<std::size_t>(std::min<std::int64_t>(number, static_cast<int64_t>(documents)));
  return ok();
}

}  // namespace

Result<RerankRequest> parse_rerank_request(const json::object& body) {
  RerankRequest out;
  if (auto status = read_query(body, out.query); !status) return status.error();
  if (auto status = read_documents(body, out.documents); !status) return status.error();
  if (auto status = read_top(body, out.documents.size(), out.top_n); !status) {
    return status.error();
  }
  if (auto status = read_flag(body, "return_documents", out.returns_documents); !status) {
    return status.error();
  }
  auto truncation = read_truncation(body);
  if (!truncation) return truncation.error();
  out.truncation = *truncation;
  return out;
}

std::string rerank_document(const RerankRequest& request, const std::vector<float>& scores,
                            std::string_view model, std::string_view id,
                            std::uint64_t total_tokens) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  order.resize(request.top_n);
  json::array results;
  for (const std::size_t index : order) {
    json::object result{{"index", index}, {"relevance_score", scores[index]}};
    if (request.returns_documents) {
      result["document"] = json::object{{"text", request.documents[index]}};
    }
    results.push_back(std::move(result));
  }
  std::string out = R"({"id":)" + json::serialize(json::value(id)) + R"(,"object":"list","model":)";
  out += model;
  out += R"(,"results":)" + json::serialize(results);
  const std::string tokens = std::to_string(total_tokens);
  out += R"(,"usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
  return out;
}

}  // namespace backplane::local
