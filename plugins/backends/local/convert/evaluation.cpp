// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/convert/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kBatchTokens = 128;

// One model with a cache for one window.
class Evaluated {
 public:
  static Result<std::unique_ptr<Evaluated>> load(const ModelFile& file, std::size_t context,
                                                 std::size_t threads);
  // Starts a window.
  void begin(std::span<const Token> window) {
    window_ = window;
    position_ = 0;
  }
  // The logits that follow each token of the next batch from `first_scored` on.
  kernels::ConstMatrix next(std::size_t count, std::size_t first_scored);
  std::size_t vocabulary() const { return model_->vocabulary(); }

 private:
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<KvPages> cache_;
  std::vector<PageId> pages_;
  std::span<const Token> window_;
  std::size_t position_ = 0;
};

Result<std::unique_ptr<Evaluated>> Evaluated::load(const ModelFile& file, std::size_t context,
                                                   std::size_t threads) {
  auto evaluated = std::make_unique<Evaluated>();
  evaluated->device_ = kernels::make_cpu_device(threads);
  auto model = Model::load(file, *evaluated->device_, kBatchTokens, kBatchTokens, context);
  if (!model) return model.error();
  evaluated->model_ = std::move(*model);
  evaluated->pages_.resize((context + kPagePositions - 1) / kPagePositions);
  std::iota(evaluated->pages_.begin(), evaluated->pages_.end(), PageId{0});
  auto cache = evaluated->model_->new_pages(evaluated->pages_.size());
  if (!cache) return cache.error();
  evaluated->cache_ = std::move(*cache);
  return evaluated;
}

kernels::ConstMatrix Evaluated::next(std::size_t count, std::size_t first_scored) {
  std::vector<BatchEntry> batch(count);
  for (BatchEntry& entry : batch) {
    entry.pages = pages_.data();
    entry.position = static_cast<std::uint32_t>(position_);
    entry.token = window_[position_];
    entry.wants_logits = position_ >= first_scored && position_ + 1 < window_.size();
    ++position_;
  }
  return model_->forward(batch, *cache_);
}

// A row of logits as a distribution.
struct Row {
  std::span<const float> logits;
  double log_sum = 0;
  std::size_t top = 0;

  Row(const float* data, std::size_t size) : logits(data, size) {
    top = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit - logits[top]));
    log_sum = static_cast<double>(logits[top]) + std::log(sum);
  }
  double log_probability(std::size_t token) const {
    return static_cast<double>(logits[token]) - log_sum;
  }
};

double divergence(const Row& reference, const Row& model) {
  double sum = 0;
  for (std::size_t token = 0; token < reference.logits.size(); ++token) {
    const double expected = reference.log_probability(token);
    sum += std::exp(expected) * (expected - model.log_probability(token));
  }
  return sum;
}

struct Sums {
  std::size_t tokens = 0;
  double loss = 0;
  double loss_square = 0;
  double reference_loss = 0;
  double divergence = 0;
  double divergence_max = 0;
  std::size_t same_top = 0;
};

void score(const Row& model, const Row* reference, std::size_t token, Sums& sums) {
  const double loss = -model.log_probability(token);
  ++sums.tokens;
  sums.loss += loss;
  sums.loss_square += loss * loss;
  if (reference == nullptr) return;
  const double distance = divergence(*reference, model);
  sums.reference_loss -= reference->log_probability(token);
  sums.divergence += distance;
  sums.divergence_max = std::max(sums.divergence_max, distance);
  sums.same_top += reference->top == model.top ? 1 : 0;
}

void score_window(Evaluated& model, Evaluated* reference, std::span<const Token> window,
                  Sums& sums) {
  const std::size_t first = window.size() / 2;
  model.begin(window);
  if (reference != nullptr) reference->begin(window);
  for (std::size_t begin = 0; begin < window.size(); begin += kBatchTokens) {
    const std::size_t count = std::min(kBatchTokens, window.size() - begin);
    const kernels::ConstMatrix rows = model.next(count, first);
    const kernels::ConstMatrix others =
        reference == nullptr ? kernels::ConstMatrix{} : reference->next(count, first);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const auto token = static_cast<std::size_t>(window[std::max(begin, first) + i + 1]);
      const Row row(rows.row(i), rows.columns);
      if (reference == nullptr) {
        score(row, nullptr, token, sums);
      } else {
        const Row other(others.row(i), others.columns);
        score(row, &other, token, sums);
      }
    }
  }
}

Evaluation result_of(const Sums& sums, std::size_t windows, bool has_reference) {
  const auto count = static_cast<double>(sums.tokens);
  Evaluation evaluation;
  evaluation.windows = windows;
  evaluation.tokens = sums.tokens;
  const double mean = sums.loss / count;
  const double variance = std::max(0.0, sums.loss_square / count - mean * mean);
  evaluation.perplexity = std::exp(mean);
  if (sums.tokens > 1) {
    evaluation.perplexity_error = evaluation.perplexity * std::sqrt(variance / (count - 1));
  }
  if (has_reference) {
    evaluation.divergence =
        Divergence{std::exp(sums.reference_loss / count), sums.divergence / count,
                   sums.divergence_max, static_cast<double>(sums.same_top) / count};
  }
  return evaluation;
}

Result<std::vector<Token>> tokens_of(const Tokenizer& tokenizer, std::string_view text,
                                     std::size_t context) {
  std::vector<Token> tokens = tokenizer.encode(text, {true, false});
  if (tokens.size() >= 2 * context) return tokens;
  return invalid_argument("the text has " + std::to_string(tokens.size()) +
                          " tokens, and two windows of " + std::to_string(context) +
                          " are needed; give a longer text or a smaller --context");
}

}  // namespace

Result<Evaluation> evaluate_model(const ModelFile& model, const ModelFile* reference,
                                  std::string_view text, const EvaluationOptions& options,
                                  Progress& progress) {
  const auto tokenizer = Tokenizer::load(model);
  if (!tokenizer) return tokenizer.error();
  const std::size_t context = options.context_tokens;
  auto tokens = tokens_of(**tokenizer, text, context);
  if (!tokens) return tokens.error();
  auto evaluated = Evaluated::load(model, context, options.threads);
  if (!evaluated) return evaluated.error();
  std::unique_ptr<Evaluated> other;
  if (reference != nullptr) {
    auto loaded = Evaluated::load(*reference, context, options.threads);
    if (!loaded) return loaded.error();
    other = std::move(*loaded);
    if (other->vocabulary() != (*evaluated)->vocabulary()) {
      return invalid_argument("the models have vocabularies of different sizes");
    }
  }
  const std::vector<Token> first = (*tokenizer)->encode("", {true, false});
  std::size_t windows = tokens->size() / context;
  if (options.windows_max > 0) windows = std::min(windows, options.windows_max);
  Sums sums;
  progress.begin("evaluating, windows", 0, windows, Progress::Unit::kPieces);
  for (std::size_t i = 0; i < windows; ++i) {
    const std::span<Token> window(tokens->data() + i * context, context);
    if (!first.empty()) window[0] = first[0];
    score_window(**evaluated, other.get(), window, sums);
    progress.add(1);
  }
  progress.end();
  return result_of(sums, windows, other != nullptr);
}

}  // namespace backplane::local
