// SPDX-License-Identifier: Apache-2.0
#include "common/rate_limit.hpp"

#include "common/wait_time.hpp"

#include <algorithm>
#include <array>
#include <backplane/plugin.hpp>
#include <charconv>
#include <string_view>

namespace backplane::dialect {
namespace {

struct Window {
  std::uint64_t limit = BP_RATE_UNKNOWN;
  std::uint64_t remaining = BP_RATE_UNKNOWN;
  std::uint64_t reset_ms = BP_RATE_UNKNOWN;
};

enum Span : std::uint8_t { kPlain, kMinute, kHour, kDay, kPrompt, kFresh, kAnswer, kSpanCount };
using Windows = std::array<Window, kSpanCount>;

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Of a time, or of one kind of tokens; another tail is of a limit of its own.
std::optional<Span> span_of(std::string_view tail) {
  if (tail.empty()) return kPlain;
  if (tail == "-minute") return kMinute;
  if (tail == "-hour") return kHour;
  if (tail == "-day") return kDay;
  if (tail == "-prompt") return kPrompt;
  if (tail == "-cache-adjusted-prompt") return kFresh;
  if (tail == "-generated") return kAnswer;
  return std::nullopt;
}

// A count may be followed by its policy: "100, 100;w=60", "30;w=60".
std::uint64_t count_of(std::string_view text) {
  std::uint64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc()) return BP_RATE_UNKNOWN;
  const bool is_over = parsed.ptr == text.data() + text.size();
  return is_over || *parsed.ptr == ',' || *parsed.ptr == ';' || *parsed.ptr == '.'
             ? count
             : BP_RATE_UNKNOWN;
}

class Reading {
 public:
  explicit Reading(std::int64_t unix_now_ns) : unix_now_ns_(unix_now_ns) {}

  void read(std::string_view name, std::string_view value) {
    take(name, "x-");
    if (!take(name, "ratelimit-")) return;
    enum { kLimit, kRemaining, kReset } what = kLimit;
    if (take(name, "remaining")) {
      what = kRemaining;
    } else if (take(name, "reset")) {
      what = kReset;
    } else if (!take(name, "limit")) {
      return;
    }
    Windows& windows = take(name, "-tokens") ? tokens_ : requests_;
    take(name, "-requests");
    const std::optional<Span> span = span_of(name);
    if (!span) return;
    Window& window = windows[*span];
    if (what == kLimit) window.limit = count_of(value);
    if (what == kRemaining) window.remaining = count_of(value);
    if (what == kReset) {
      window.reset_ms = parse_reset_ms(value, unix_now_ns_).value_or(BP_RATE_UNKNOWN);
    }
  }

  std::optional<bp_rate_limit> result() const {
    const Window& requests = tightest(requests_);
    const Window& tokens = tightest(tokens_);
    const bp_rate_limit limit{sizeof(bp_rate_limit), 0,
                              requests.limit,        requests.remaining,
                              requests.reset_ms,     tokens.limit,
                              tokens.remaining,      tokens.reset_ms};
    const auto is_known = [](const Window& window) {
      return window.limit != BP_RATE_UNKNOWN || window.remaining != BP_RATE_UNKNOWN;
    };
    if (!is_known(requests) && !is_known(tokens)) return std::nullopt;
    return limit;
  }

 private:
  static const Window& tightest(const Windows& windows) {
    return *std::min_element(windows.begin(), windows.end(), [](const Window& a, const Window& b) {
      if (a.remaining != b.remaining) return a.remaining < b.remaining;
      return a.limit < b.limit;
    });
  }

  const std::int64_t unix_now_ns_;
  Windows requests_;
  Windows tokens_;
};

}  // namespace

std::optional<bp_rate_limit> read_rate_limit(std::span<const bp_pair> headers,
                                             std::int64_t unix_now_ns) {
  Reading reading(unix_now_ns);
  for (const bp_pair& header : headers) {
    const std::string_view name = view(header.name);
    if (name.find("ratelimit-") <= 2) reading.read(name, view(header.value));
  }
  return reading.result();
}

std::uint64_t exhausted_for_ms(const bp_rate_limit& limit) {
  std::uint64_t wait_ms = 0;
  const auto consider = [&](std::uint64_t remaining, std::uint64_t reset_ms) {
    if (remaining == 0 && reset_ms != BP_RATE_UNKNOWN) wait_ms = std::max(wait_ms, reset_ms);
  };
  consider(limit.requests_remaining, limit.requests_reset_ms);
  consider(limit.tokens_remaining, limit.tokens_reset_ms);
  return wait_ms;
}

}  // namespace backplane::dialect
