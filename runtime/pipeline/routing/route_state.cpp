// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/routing/route_state.hpp"

#include "runtime/pipeline/routing/prefix_hash.hpp"

namespace backplane {
namespace {

constexpr std::int64_t kUsPerMs = 1'000;
constexpr std::int64_t kHearEveryUs = 100'000;
constexpr std::int64_t kForgiveUs =
    60'000'000;  // after so long a good time the next ejection is the first
constexpr float kFailedShare = 0.5F;
constexpr float kFailedSamples = 10;
constexpr auto kRelaxed = std::memory_order_relaxed;

// What says of a route that it fails. The rest is the caller's, or the limits'.
bool is_failure(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kTimeout:
    case AttemptOutcome::kUnavailable:
    case AttemptOutcome::kCut:
    case AttemptOutcome::kProtocol:
    case AttemptOutcome::kFailed:
      return true;
    default:
      return false;
  }
}

}  // namespace

const char* name_of(RouteHealth health) {
  constexpr std::array<const char*, 5> kNames = {"good", "probe_due", "limited", "ejected", "slow"};
  return kNames[static_cast<std::size_t>(health)];
}

constexpr std::array<const char*, 6> kPrivacyNames = {"unknown", "none", "anonymized",
                                                      "private", "tee",  "e2ee"};

const char* name_of(RoutePrivacy privacy) {
  return kPrivacyNames[static_cast<std::size_t>(privacy)];
}

RoutePrivacy privacy_of(std::string_view name) {
  for (std::size_t i = 1; i < kPrivacyNames.size(); ++i) {
    if (name == kPrivacyNames[i]) return static_cast<RoutePrivacy>(i);
  }
  return RoutePrivacy::kUnknown;
}

RouteState::RouteState(std::string_view identity) : hash_(hash_of(identity)) {}

std::int64_t RouteState::Cell::sampled_us() const {
  return std::max(
      {first_event_us.sampled_us(), tokens_per_s.sampled_us(), heard_sampled_us.load(kRelaxed)});
}

void RouteState::begin(const RouteTry& given) {
  Cell& own = cell(given.loop);
  own.waiting.fetch_add(1, kRelaxed);
  own.waiting_since_us.fetch_add(us(given.begun_ns), kRelaxed);
}

void RouteState::stop_waiting(const RouteTry& given) {
  Cell& own = cell(given.loop);
  own.waiting.fetch_sub(1, kRelaxed);
  own.waiting_since_us.fetch_sub(us(given.begun_ns), kRelaxed);
}

void RouteState::first_event(const RouteTry& given, const EjectionRules& rules) {
  stop_waiting(given);
  if (!given.streams) return;
  const auto took_us = static_cast<float>(us(given.first_event_ns - given.begun_ns));
  Cell& own = cell(given.loop);
  own.first_event_us.add(took_us, us(given.first_event_ns));
  own.late_us.add(took_us);
  judge(took_us, given, rules, us(given.first_event_ns));
}

// What it would have taken is not known, but that it is more.
void RouteState::outrun(const RouteTry& given, bool had_start, const EjectionRules& rules,
                        std::int64_t now_ns) {
  Cell& own = cell(given.loop);
  const auto waited_us = static_cast<float>(us(now_ns - given.begun_ns));
  if (waited_us > own.first_event_us.mean()) own.first_event_us.add(waited_us, us(now_ns));
  if (waited_us > own.late_us.value()) own.late_us.add(waited_us);
  if (had_start) was_slow(given, rules, us(now_ns));
}

float RouteState::late_us(std::uint32_t loop) const {
  const TailEstimate& own = cell(loop).late_us;
  if (own.count() >= TailEstimate::kSamplesLeast) return own.value();
  float sum = 0;
  std::uint32_t samples = 0;
  for (const Cell& each : cells_) {
    sum += each.late_us.value() * static_cast<float>(each.late_us.count());
    samples += each.late_us.count();
  }
  return samples >= TailEstimate::kSamplesLeast ? sum / static_cast<float>(samples) : 0;
}

float RouteState::usual_us() const {
  constexpr std::uint32_t kSamplesLeast = 20;
  return usual_samples_.load(kRelaxed) >= kSamplesLeast ? usual_us_.load(kRelaxed) : 0;
}

// The usual time is that of the last few hundred; one that is far above counts as the threshold.
void RouteState::judge(float took_us, const RouteTry& given, const EjectionRules& rules,
                       std::int64_t now_us) {
  constexpr float kSlowLeastUs = 500'000;
  constexpr std::uint32_t kSamplesMost = 256;
  const float most_us = std::max(usual_us() * static_cast<float>(rules.slower), kSlowLeastUs);
  const bool is_slow = rules.slower != 0 && usual_us() > 0 && took_us > most_us;
  const std::uint32_t samples = std::min(usual_samples_.load(kRelaxed) + 1, kSamplesMost);
  const float usual = usual_us_.load(kRelaxed);
  const float sample = is_slow ? most_us : took_us;
  usual_us_.store(usual + (sample - usual) / static_cast<float>(samples), kRelaxed);
  usual_samples_.store(samples, kRelaxed);
  if (is_slow) return was_slow(given, rules, now_us);
  if (slow_.load(kRelaxed) != 0) slow_.store(0, kRelaxed);
}

void RouteState::was_slow(const RouteTry& given, const EjectionRules& rules, std::int64_t now_us) {
  if (rules.slower == 0 || rules.failures == 0) return;
  if (ejected_until_us_.load(kRelaxed) != 0) {
    if (given.is_probe) eject(rules, now_us, true);
    return;
  }
  if (us(given.begun_ns) < readmitted_us_.load(kRelaxed)) return;  // it waited since before
  const std::uint32_t in_a_row = slow_.fetch_add(1, kRelaxed) + 1;
  if (in_a_row >= rules.failures) eject(rules, now_us, true);
}

// Of an answer in one piece nobody sees when its first token came: it is taken as one rate.
void RouteState::measure(const RouteTry& given, std::int64_t now_ns) {
  constexpr std::uint64_t kTokensLeast = 8;
  constexpr std::int64_t kUsPerS = 1'000'000;
  Cell& own = cell(given.loop);
  const std::int64_t from_ns = given.streams ? given.first_event_ns : given.begun_ns;
  const std::int64_t took_us = std::max<std::int64_t>(us(now_ns - from_ns), 1);
  if (given.tokens >= kTokensLeast) {
    const float per_us = static_cast<float>(given.tokens) / static_cast<float>(took_us);
    own.tokens_per_s.add(per_us * static_cast<float>(kUsPerS), us(now_ns));
  } else if (!given.streams) {
    own.first_event_us.add(static_cast<float>(took_us), us(now_ns));
  }
}

void RouteState::end(const RouteTry& given, AttemptOutcome outcome, std::uint64_t retry_after_ms,
                     const EjectionRules& rules, std::int64_t now_ns) {
  if (given.first_event_ns == 0) stop_waiting(given);
  if (outcome == AttemptOutcome::kOk) {
    if (given.first_event_ns != 0) measure(given, now_ns);
    succeeded(given, us(now_ns));
  } else if (outcome == AttemptOutcome::kRateLimited) {
    if (given.is_probe) ejected_until_us_.store(0, kRelaxed);  // it answers
    limited(retry_after_ms, us(now_ns));
  } else if (is_failure(outcome)) {
    failed(given, outcome, rules, us(now_ns));
  }
  if (given.is_probe) give_back_probe();
}

void RouteState::succeeded(const RouteTry& given, std::int64_t now_us) {
  cell(given.loop).failed.add(0, now_us);
  if (failures_.load(kRelaxed) != 0) failures_.store(0, kRelaxed);
  if (limits_.load(kRelaxed) != 0) limits_.store(0, kRelaxed);
  if (ejected_until_us_.load(kRelaxed) == 0) return;
  if (us(given.begun_ns) < ejected_at_us_.load(kRelaxed)) return;  // begun when it was well
  if (is_slow_.load(kRelaxed) && !given.is_probe) return;
  readmitted_us_.store(now_us, kRelaxed);
  ejected_until_us_.store(0, kRelaxed);
}

void RouteState::failed(const RouteTry& given, AttemptOutcome outcome, const EjectionRules& rules,
                        std::int64_t now_us) {
  Cell& own = cell(given.loop);
  own.failed.add(1, now_us);
  last_failure_.store(outcome, kRelaxed);
  const std::uint32_t in_a_row = failures_.fetch_add(1, kRelaxed) + 1;
  if (rules.failures == 0) return;
  if (ejected_until_us_.load(kRelaxed) != 0) {
    if (given.is_probe) eject(rules, now_us);
    return;
  }
  const bool often =
      own.failed.weight_at(now_us) >= kFailedSamples && own.failed.mean() >= kFailedShare;
  if (in_a_row >= rules.failures || often) eject(rules, now_us);
}

void RouteState::eject(const EjectionRules& rules, std::int64_t now_us, bool is_slow) {
  is_slow_.store(is_slow, kRelaxed);
  slow_.store(0, kRelaxed);
  constexpr std::uint32_t kDoublingsMost = 16;
  const std::int64_t readmitted = readmitted_us_.load(kRelaxed);
  if (readmitted != 0 && ejected_until_us_.load(kRelaxed) == 0 &&
      now_us - readmitted > kForgiveUs) {
    ejections_in_a_row_.store(0, kRelaxed);
  }
  const std::uint32_t before = ejections_in_a_row_.fetch_add(1, kRelaxed);
  const std::int64_t ms =
      std::min(static_cast<std::int64_t>(rules.base_ms) << std::min(before, kDoublingsMost),
               kEjectionMostMs);
  ejections_total_.fetch_add(1, kRelaxed);
  ejected_at_us_.store(now_us, kRelaxed);
  ejected_until_us_.store(now_us + ms * kUsPerMs, kRelaxed);
}

void RouteState::limited(std::uint64_t retry_after_ms, std::int64_t now_us) {
  constexpr std::uint32_t kDoublingsMost = 6;  // about a minute
  std::int64_t ms = static_cast<std::int64_t>(
      std::min<std::uint64_t>(retry_after_ms, static_cast<std::uint64_t>(kLimitMostMs)));
  if (ms == 0) ms = 1'000LL << std::min(limits_.fetch_add(1, kRelaxed), kDoublingsMost);
  limited_until_us_.store(now_us + ms * kUsPerMs, kRelaxed);
}

void RouteState::heed(const bp_rate_limit& limit, std::int64_t now_ns) {
  if (limit.struct_size < sizeof(bp_rate_limit)) return;
  std::uint64_t reset_ms = 0;
  const auto consider = [&](std::uint64_t remaining, std::uint64_t in_ms) {
    constexpr std::uint64_t kUnknownMs = 1'000;
    if (remaining != 0) return;
    reset_ms = std::max(reset_ms, in_ms == BP_RATE_UNKNOWN ? kUnknownMs : in_ms);
  };
  consider(limit.requests_remaining, limit.requests_reset_ms);
  consider(limit.tokens_remaining, limit.tokens_reset_ms);
  if (reset_ms != 0) limited(reset_ms, us(now_ns));
}

RouteHealth RouteState::health(std::int64_t now_ns) const {
  const std::int64_t now_us = us(now_ns);
  if (const std::int64_t until = ejected_until_us_.load(kRelaxed); until != 0) {
    const bool due = now_us >= until && !probing_.load(kRelaxed);
    if (due) return RouteHealth::kProbeDue;
    return is_slow_.load(kRelaxed) ? RouteHealth::kSlow : RouteHealth::kEjected;
  }
  return now_us < limited_until_us_.load(kRelaxed) ? RouteHealth::kLimited : RouteHealth::kGood;
}

std::int64_t RouteState::until_ns(std::int64_t now_ns) const {
  const std::int64_t until_us =
      std::max(ejected_until_us_.load(kRelaxed), limited_until_us_.load(kRelaxed));
  return until_us * 1000 > now_ns ? until_us * 1000 : 0;
}

RouteState::Speed RouteState::speed(std::int64_t now_ns) const {
  const std::int64_t now_us = us(now_ns);
  Speed all;
  float rate_samples = 0;
  float waiting_us = 0;
  for (const Cell& each : cells_) {
    const float weight = each.first_event_us.weight_at(now_us);
    all.first_event_us += weight * each.first_event_us.mean();
    all.samples += weight;
    const float rate_weight = each.tokens_per_s.weight_at(now_us);
    all.tokens_per_s += rate_weight * each.tokens_per_s.mean();
    rate_samples += rate_weight;
    all.sampled_us = std::max(
        {all.sampled_us, each.first_event_us.sampled_us(), each.tokens_per_s.sampled_us()});
    const std::int64_t waiting = each.waiting.load(kRelaxed);
    if (waiting <= 0) continue;
    all.waiting += static_cast<float>(waiting);
    waiting_us +=
        std::max(static_cast<float>(waiting * now_us - each.waiting_since_us.load(kRelaxed)), 0.0F);
  }
  if (all.samples > 0) all.first_event_us /= all.samples;
  if (rate_samples > 0) all.tokens_per_s /= rate_samples;
  if (all.waiting > 0) all.waiting_us = waiting_us / all.waiting;
  all.samples += rate_samples;
  return all;
}

// Those that wait for their first event tell of a route that has become slow before it answers.
float RouteState::expected_us(std::uint32_t loop, std::int64_t now_ns, float tokens) {
  const std::int64_t now_us = us(now_ns);
  Cell& own = cell(loop);
  const std::int64_t heard_us = own.heard_us.load(kRelaxed);
  if (heard_us == 0 || now_us - heard_us >= kHearEveryUs) {
    const Speed all = speed(now_ns);
    own.heard_us.store(now_us, kRelaxed);
    own.heard_first_event_us.store(all.first_event_us, kRelaxed);
    own.heard_tokens_per_s.store(all.tokens_per_s, kRelaxed);
    own.heard_waiting_us.store(all.waiting_us, kRelaxed);
    own.heard_sampled_us.store(all.sampled_us, kRelaxed);
  }
  float waited_us = own.heard_waiting_us.load(kRelaxed);
  if (const std::int64_t waiting = own.waiting.load(kRelaxed); waiting > 0) {
    const std::int64_t sum_us = waiting * now_us - own.waiting_since_us.load(kRelaxed);
    waited_us = static_cast<float>(sum_us) / static_cast<float>(waiting);
  }
  const float first_us = std::max(own.heard_first_event_us.load(kRelaxed), waited_us);
  const float rate = own.heard_tokens_per_s.load(kRelaxed);
  constexpr float kUsPerS = 1e6F;
  return first_us + (rate > 0 ? tokens / rate * kUsPerS : 0);
}

}  // namespace backplane
