// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/adjustment.hpp"

#include <algorithm>
#include <limits>

#include "plugins/backends/local/sampling/selection.hpp"

namespace backplane::local {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();
constexpr std::size_t kWordBits = 64;

std::size_t index(Token token) {
  return static_cast<std::size_t>(token);
}

void keep_allowed(std::span<const std::uint64_t> allowed, std::span<float> logits) {
  for (std::size_t begin = 0; begin < logits.size(); begin += kWordBits) {
    const std::size_t at = begin / kWordBits;
    const std::uint64_t word = at < allowed.size() ? allowed[at] : 0;
    if (word == ~std::uint64_t{0}) continue;
    const std::size_t size = std::min(kWordBits, logits.size() - begin);
    for (std::size_t bit = 0; bit < size; ++bit) {
      if ((word >> bit & 1U) == 0) logits[begin + bit] = kImpossible;
    }
  }
}

}  // namespace

Adjustment::Adjustment(const PenaltyOptions& penalties, std::vector<LogitBias> biases,
                       std::span<const Token> prompt)
    : penalties_(penalties), biases_(std::move(biases)) {
  if (penalties_.repetition == 1) return;
  for (const Token token : prompt) note(token, 0);
}

std::span<const float> Adjustment::apply(std::span<const float> logits, const Choosable& choosable,
                                         std::vector<float>& space) const {
  if (biases_.empty() && seen_.empty() && choosable.allowed.empty() && choosable.banned.empty()) {
    return logits;
  }
  space.assign(logits.begin(), logits.end());
  penalize(space);
  for (const LogitBias& bias : biases_) space[index(bias.token)] += bias.bias;
  if (!choosable.allowed.empty()) keep_allowed(choosable.allowed, space);
  if (choosable.banned.empty()) return space;
  for (const Token token : choosable.banned) space[index(token)] = kImpossible;
  // What a grammar demands comes before what the caller would rather not have.
  if (highest(space) > kImpossible) return space;
  return apply(logits, {choosable.allowed, {}}, space);
}

void Adjustment::penalize(std::span<float> logits) const {
  for (const Seen& seen : seen_) {
    float& logit = logits[index(seen.token)];
    if (penalties_.repetition != 1) {
      logit = logit > 0 ? logit / penalties_.repetition : logit * penalties_.repetition;
    }
    if (seen.count == 0) continue;
    logit -= penalties_.presence + penalties_.frequency * static_cast<float>(seen.count);
  }
}

void Adjustment::accept(Token token) {
  if (penalties_.any()) note(token, 1);
}

void Adjustment::note(Token token, std::uint32_t count) {
  if (places_.size() <= index(token)) places_.resize(index(token) + 1);
  std::uint32_t& place = places_[index(token)];
  if (place == 0) {
    seen_.push_back({token, 0});
    place = static_cast<std::uint32_t>(seen_.size());
  }
  seen_[place - 1].count += count;
}

}  // namespace backplane::local
