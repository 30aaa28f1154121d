// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/sampler.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace backplane::local {
namespace {

constexpr float kTemperatureMax = 2.0f;

// NaN compares false with everything, so a broken row yields its first number, or token 0.
Token likeliest(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best] || std::isnan(logits[best])) best = i;
  }
  return static_cast<Token>(best);
}

}  // namespace

Status check(const SamplingOptions& options) {
  if (!(options.temperature >= 0 && options.temperature <= kTemperatureMax)) {
    return invalid_argument("temperature must be between 0 and 2");
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return invalid_argument("top_p must be above 0 and at most 1");
  }
  return ok();
}

Token Sampler::pick(std::span<const float> logits) {
  assert(!logits.empty());
  if (options_.temperature == 0) return likeliest(logits);
  weigh(logits);
  if (candidates_.empty()) return likeliest(logits);
  keep_likeliest();
  return draw();
}

bool Sampler::less_likely(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight < b.weight : a.token > b.token;
}

void Sampler::weigh(std::span<const float> logits) {
  candidates_.clear();
  const float highest = logits[static_cast<std::size_t>(likeliest(logits))];
  if (!std::isfinite(highest)) return;
  const double scale = 1.0 / static_cast<double>(options_.temperature);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp(static_cast<double>(logits[i] - highest) * scale);
    if (weight > 0) candidates_.push_back({weight, static_cast<Token>(i)});
  }
}

// Leaves the kept candidates in descending order when anything is cut, in id order when not.
void Sampler::keep_likeliest() {
  const bool all_k = options_.top_k == 0 || options_.top_k >= candidates_.size();
  if (all_k && options_.top_p >= 1) return;
  const std::size_t most = all_k ? candidates_.size() : options_.top_k;
  std::make_heap(candidates_.begin(), candidates_.end(), less_likely);
  std::vector<Candidate> kept;
  double total = 0;
  if (all_k) {
    for (const Candidate& candidate : candidates_) total += candidate.weight;
  }
  double sum = 0;
  while (kept.size() < most) {
    // Without top_k the total is known, and the heap need not be emptied.
    if (all_k && sum >= static_cast<double>(options_.top_p) * total) break;
    std::pop_heap(candidates_.begin(), candidates_.end(), less_likely);
    kept.push_back(candidates_.back());
    candidates_.pop_back();
    sum += kept.back().weight;
  }
  if (!all_k) {
    double share = 0;
    std::size_t size = 0;
    while (size < kept.size() && share < static_cast<double>(options_.top_p) * sum) {
      share += kept[size++].weight;
    }
    kept.resize(size);
  }
  candidates_ = std::move(kept);
}

Token Sampler::draw() {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double left = next_uniform() * total;
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.token;
  }
  return candidates_.back().token;
}

// SplitMix64 (Steele, Lea, Flood 2014).
double Sampler::next_uniform() {
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t bits = state_;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  bits ^= bits >> 31;
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace backplane::local
