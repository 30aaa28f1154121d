// SPDX-License-Identifier: Apache-2.0
// Where a call stands in a trace, and its text in the header `traceparent` (W3C Trace Context,
// level 2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

inline constexpr std::uint8_t kTraceSampled = 1;  // somebody before us records this trace
inline constexpr std::uint8_t kTraceRandom = 2;   // the last 7 bytes of its id are random
inline constexpr std::size_t kTraceparentBytes = 55;

struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};  // of the sender's span
  std::uint8_t flags = 0;

  bool sampled() const { return (flags & kTraceSampled) != 0; }
};

// Of a later version what version 00 defines; nothing where the text breaks a rule. Flags that
// version 00 does not define are dropped.
std::optional<TraceContext> parse_traceparent(std::string_view text);

// kTraceparentBytes of version 00.
std::string format_traceparent(const TraceContext& context);

std::string hex_of(const TraceId& id);
std::string hex_of(const SpanId& id);

}  // namespace backplane
