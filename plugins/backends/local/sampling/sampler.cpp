// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/sampler.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace backplane::local {
namespace {

// Rows of logits are large and picked from one after the other: a thread's samplers share these.
struct Space {
  std::vector<float> logits;
  std::vector<float> weights;
  std::vector<Candidate> candidates;
  std::vector<Candidate> kept;
};
Space& space() {
  thread_local Space shared;
  return shared;
}

bool is_less_likely(const Candidate& a, const Candidate& b) {
  return is_likelier(b, a);
}

double total_of(std::span<const Candidate> candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += static_cast<double>(candidate.weight);
  return total;
}

void gather(std::span<const float> weights, float least, std::vector<Candidate>& out) {
  out.clear();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] >= least && weights[i] > 0) out.push_back({weights[i], static_cast<Token>(i)});
  }
}

// Moves the likeliest of `from` to `to`, in order, until they weigh `share`.
void take_likeliest(std::vector<Candidate>& from, double share, std::vector<Candidate>& to) {
  to.clear();
  std::make_heap(from.begin(), from.end(), is_less_likely);
  double sum = 0;
  while (!from.empty() && (to.empty() || sum < share)) {
    std::pop_heap(from.begin(), from.end(), is_less_likely);
    to.push_back(from.back());
    from.pop_back();
    sum += static_cast<double>(to.back().weight);
  }
}

// The likeliest of all that weigh `share` together. Most of a vocabulary is far below them, so only
// a slice from the top is put in order.
void keep_likeliest(std::span<const float> weights, double share, Space& at) {
  for (const float least : {0.05f, 0.002f, 1e-5f, 0.0f}) {
    gather(weights, least, at.kept);
    if (least == 0 || total_of(at.kept) >= share) break;
  }
  take_likeliest(at.kept, share, at.candidates);
}

// Locally typical sampling: those whose surprise is nearest to the expected one.
void keep_typical(float share, Space& at) {
  std::vector<Candidate>& all = at.candidates;
  const double total = total_of(all);
  const double shift = std::log(total);
  at.kept.clear();
  double entropy = shift;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const float surprise = std::log(all[i].weight);
    entropy -= static_cast<double>(all[i].weight) * static_cast<double>(surprise) / total;
    at.kept.push_back({surprise, static_cast<Token>(i)});
  }
  // A distance as a weight whose largest come first; its token is a place in `all`.
  const auto expected = static_cast<float>(shift - entropy);
  for (Candidate& one : at.kept) one.weight = -std::abs(one.weight - expected);
  std::make_heap(at.kept.begin(), at.kept.end(), is_less_likely);
  std::size_t left = at.kept.size();
  double sum = 0;
  while (left > 0 && (sum == 0 || sum < static_cast<double>(share) * total)) {
    std::pop_heap(at.kept.begin(), at.kept.begin() + static_cast<std::ptrdiff_t>(left--),
                  is_less_likely);
    Candidate& one = at.kept[left];
    one = all[static_cast<std::size_t>(one.token)];
    sum += static_cast<double>(one.weight);
  }
  at.kept.erase(at.kept.begin(), at.kept.begin() + static_cast<std::ptrdiff_t>(left));
  std::sort(at.kept.begin(), at.kept.end(), is_likelier);
  std::swap(at.kept, at.candidates);
}

// Of candidates in order.
void keep_share(float share, std::vector<Candidate>& candidates) {
  const double enough = static_cast<double>(share) * total_of(candidates);
  double sum = 0;
  std::size_t size = 0;
  while (size < candidates.size() && (size == 0 || sum < enough)) {
    sum += static_cast<double>(candidates[size++].weight);
  }
  candidates.resize(size);
}

void keep_at_least(float share_of_best, std::vector<Candidate>& candidates) {
  float best = 0;
  for (const Candidate& one : candidates) best = std::max(best, one.weight);
  std::erase_if(candidates,
                [&](const Candidate& one) { return one.weight < share_of_best * best; });
}

}  // namespace

Status check(const SamplingOptions& options, std::size_t vocabulary) {
  struct Bound {
    const char* name;
    float value, least, most;
  };
  const PenaltyOptions& penalties = options.penalties;
  const Bound bounds[] = {{"temperature", options.temperature, 0, 2},
                          {"min_p", options.min_p, 0, 1},
                          {"presence_penalty", penalties.presence, -2, 2},
                          {"frequency_penalty", penalties.frequency, -2, 2}};
  for (const Bound& bound : bounds) {
    if (bound.value >= bound.least && bound.value <= bound.most) continue;
    return invalid_argument(std::string(bound.name) + " must be between " +
                            std::to_string(static_cast<int>(bound.least)) + " and " +
                            std::to_string(static_cast<int>(bound.most)));
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return invalid_argument("top_p must be above 0 and at most 1");
  }
  if (!(options.typical_p > 0 && options.typical_p <= 1)) {
    return invalid_argument("typical_p must be above 0 and at most 1");
  }
  if (!(penalties.repetition > 0 && penalties.repetition <= 10)) {
    return invalid_argument("repetition_penalty must be above 0 and at most 10");
  }
  if (options.logit_bias.size() > kLogitBiasesMax) {
    return invalid_argument("logit_bias may name at most " + std::to_string(kLogitBiasesMax) +
                            " tokens");
  }
  for (const LogitBias& bias : options.logit_bias) {
    if (bias.token < 0 || static_cast<std::size_t>(bias.token) >= vocabulary) {
      return invalid_argument("logit_bias: token " + std::to_string(bias.token) +
                              " is not in the vocabulary of " + std::to_string(vocabulary));
    }
    if (!(bias.bias >= -100 && bias.bias <= 100)) {
      return invalid_argument("logit_bias: a bias must be between -100 and 100");
    }
  }
  return ok();
}

std::uint64_t seed_of_choice(std::uint64_t seed, std::uint32_t choice) {
  return choice == 0 ? seed : (seed ^ (std::uint64_t{choice} << 32U)) * 0xff51afd7ed558ccdu;
}

Sampler::Sampler(const SamplingOptions& options, std::span<const Token> prompt)
    : options_(options),
      adjustment_(options.penalties, options.logit_bias, prompt),
      state_(options.seed) {}

Token Sampler::pick(std::span<const float> logits, const Choosable& choosable) {
  assert(!logits.empty());
  const Token token = choose(adjustment_.apply(logits, choosable, space().logits));
  adjustment_.accept(token);
  return token;
}

Token Sampler::choose(std::span<const float> logits) {
  const float best = highest(logits);
  if (options_.temperature == 0 || options_.top_k == 1 || !std::isfinite(best)) {
    return likeliest(logits);
  }
  Space& at = space();
  const float scale = 1.0f / options_.temperature;
  const bool all_k = options_.top_k == 0 || options_.top_k >= logits.size();
  if (all_k) {
    at.weights.resize(logits.size());
    const double total = weigh(logits, best, scale, at.weights);
    if (options_.typical_p >= 1 && options_.top_p < 1) {
      keep_likeliest(at.weights, static_cast<double>(options_.top_p) * total, at);
    } else {
      gather(at.weights, options_.typical_p < 1 ? 0 : options_.min_p, at.candidates);
    }
  } else {
    select_largest(logits, options_.top_k, at.candidates);
    for (Candidate& one : at.candidates) one.weight = weight_of(one.weight, best, scale);
  }
  const bool cut = all_k && options_.typical_p >= 1;  // by top_p, where it is to be
  if (options_.typical_p < 1) keep_typical(options_.typical_p, at);
  if (options_.top_p < 1 && !cut) keep_share(options_.top_p, at.candidates);
  if (options_.min_p > 0) keep_at_least(options_.min_p, at.candidates);
  return at.candidates.empty() ? likeliest(logits) : draw(at.candidates);
}

Token Sampler::draw(std::span<const Candidate> candidates) {
  double left = next_uniform() * total_of(candidates);
  for (const Candidate& candidate : candidates) {
    left -= static_cast<double>(candidate.weight);
    if (left < 0) return candidate.token;
  }
  return candidates.back().token;
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
