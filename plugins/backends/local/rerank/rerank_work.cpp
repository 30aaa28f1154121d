// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "plugins/backends/local/pooled_work.hpp"
#include "plugins/backends/local/rerank/rank_prompt.hpp"
#include "plugins/backends/local/rerank/rerank_request.hpp"

namespace backplane::local {
namespace {

using Texts = std::vector<std::vector<Token>>;

// The model reads the query with each document.
class CrossWork final : public PooledWork {
 public:
  CrossWork(RerankRequest request, Texts texts, const RankHead& head)
      : request_(std::move(request)), texts_(std::move(texts)), head_(head) {
    scores_.resize(texts_.size());
  }
  std::size_t size() const override { return texts_.size(); }
  const std::vector<Token>& tokens(std::size_t index) const override { return texts_[index]; }
  Pooling pooling() const override { return Pooling::kLast; }
  Status take(std::size_t index, std::span<const float> state) override {
    scores_[index] = head_.score(state);
    return check_finite({&scores_[index], 1});
  }
  std::string document(std::string_view model, std::string_view id, std::uint64_t tokens) override {
    return rerank_document(request_, scores_, model, id, tokens);
  }

 private:
  const RerankRequest request_;
  const Texts texts_;
  const RankHead& head_;
  std::vector<float> scores_;
};

// The query's embedding is compared with those of the documents; it comes first.
class CosineWork final : public PooledWork {
 public:
  CosineWork(RerankRequest request, Texts texts, Pooling pooling)
      : request_(std::move(request)),
        texts_(std::move(texts)),
        pooling_(pooling),
        vectors_(texts_.size()) {}
  std::size_t size() const override { return texts_.size(); }
  const std::vector<Token>& tokens(std::size_t index) const override { return texts_[index]; }
  Pooling pooling() const override { return pooling_; }
  Status take(std::size_t index, std::span<const float> state) override {
    vectors_[index].assign(state.begin(), state.end());
    normalise(vectors_[index]);
    return check_finite(vectors_[index]);
  }
  std::string document(std::string_view model, std::string_view id, std::uint64_t tokens) override {
    std::vector<float> scores;
    for (std::size_t i = 1; i < vectors_.size(); ++i) scores.push_back(cosine(i));
    return rerank_document(request_, scores, model, id, tokens);
  }

 private:
  float cosine(std::size_t index) const {
    const std::vector<float>&a = vectors_.front(), &b = vectors_[index];
    return static_cast<float>(std::inner_product(a.begin(), a.end(), b.begin(), 0.0));
  }
  const RerankRequest request_;
  const Texts texts_;
  const Pooling pooling_;
  std::vector<std::vector<float>> vectors_;
};

std::string place_of(std::size_t index) {
  return "documents[" + std::to_string(index) + "]";
}

Result<Texts> pairs(const RerankRequest& request, const Engine& engine,
                    const PooledSettings& settings) {
  Texts texts;
  for (const std::string& document : request.documents) {
    auto tokens = rank_tokens(engine, settings.rank_template, request.query, document,
                              request.truncation, place_of(texts.size()));
    if (!tokens) return tokens.error();
    texts.push_back(std::move(*tokens));
  }
  return texts;
}

Result<Texts> singles(const RerankRequest& request, const Engine& engine) {
  Texts texts;
  auto query = input_tokens(engine, {request.query, {}}, request.truncation, "query");
  if (!query) return query.error();
  texts.push_back(std::move(*query));
  for (const std::string& document : request.documents) {
    const std::string place = place_of(texts.size() - 1);
    auto tokens = input_tokens(engine, {document, {}}, request.truncation, place);
    if (!tokens) return tokens.error();
    texts.push_back(std::move(*tokens));
  }
  return texts;
}

}  // namespace

Result<std::unique_ptr<PooledWork>> make_rerank_work(const boost::json::object& body,
                                                     const Engine& engine,
                                                     const PooledSettings& settings) {
  auto request = parse_rerank_request(body);
  if (!request) return request.error();
  auto texts = settings.rank_head ? pairs(*request, engine, settings) : singles(*request, engine);
  if (!texts) return texts.error();
  if (settings.rank_head) {
    return std::unique_ptr<PooledWork>(
        new CrossWork(std::move(*request), std::move(*texts), *settings.rank_head));
  }
  return std::unique_ptr<PooledWork>(
      new CosineWork(std::move(*request), std::move(*texts), settings.pooling));
}

}  // namespace backplane::local
