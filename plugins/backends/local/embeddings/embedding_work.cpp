// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "plugins/backends/local/embeddings/embedding_document.hpp"
#include "plugins/backends/local/embeddings/embedding_request.hpp"
#include "plugins/backends/local/pooled_work.hpp"
#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

class EmbeddingWork final : public PooledWork {
 public:
  EmbeddingWork(const EmbeddingRequest& request, Pooling pooling,
                std::vector<std::vector<Token>> texts)
      : dimensions_(request.dimensions),
        is_base64_(request.is_base64),
        pooling_(pooling),
        texts_(std::move(texts)),
        items_(texts_.size()) {}

  std::size_t size() const override { return texts_.size(); }
  const std::vector<Token>& tokens(std::size_t index) const override { return texts_[index]; }
  Pooling pooling() const override { return pooling_; }

  // Written at once: all of a large answer in one go would hold up the engine's other requests.
  Status take(std::size_t index, std::span<const float> state) override {
    std::vector<float> vector(state.begin(), state.end());
    if (dimensions_ != 0) vector.resize(dimensions_);
    normalise(vector);
    if (auto status = check_finite(vector); !status) return status;
    items_[index] = embedding_item(index, vector, is_base64_);
    return ok();
  }
  std::string document(std::string_view model, std::string_view, std::uint64_t tokens) override {
    return embedding_document(items_, model, tokens);
  }

 private:
  const std::uint32_t dimensions_;
  const bool is_base64_;
  const Pooling pooling_;
  const std::vector<std::vector<Token>> texts_;
  std::vector<std::string> items_;
};

}  // namespace

Status check_finite(std::span<const float> numbers) {
  for (const float number : numbers) {
    if (std::isfinite(number)) continue;
    return Error{Code::kInternal,
                 "the model's states are not finite numbers; its file is damaged",
                 {},
                 0,
                 0};
  }
  return ok();
}

Result<std::unique_ptr<PooledWork>> make_embedding_work(const boost::json::object& body,
                                                        const Engine& engine,
                                                        const PooledSettings& settings) {
  const auto request = parse_embedding_request(body);
  if (!request) return request.error();
  const std::size_t most = engine.info().embedding_size;
  if (request->dimensions > most) {
    return refuse("dimensions", "the model's embeddings have " + std::to_string(most));
  }
  std::vector<std::vector<Token>> texts;
  for (const TextInput& input : request->inputs) {
    const std::string place =
        request->inputs.size() == 1 ? "input" : "input[" + std::to_string(texts.size()) + "]";
    auto tokens = input_tokens(engine, input, request->truncation, place);
    if (!tokens) return tokens.error();
    texts.push_back(std::move(*tokens));
  }
  return std::unique_ptr<PooledWork>(
      new EmbeddingWork(*request, settings.pooling, std::move(texts)));
}

}  // namespace backplane::local
