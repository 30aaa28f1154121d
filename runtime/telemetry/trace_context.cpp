// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/trace_context.hpp"

#include <algorithm>

namespace backplane {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Lower case only.
template <std::size_t N>
bool read_hex(std::string_view text, std::array<std::uint8_t, N>& out) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t high = kHex.find(text[2 * i]);
    const std::size_t low = kHex.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  return true;
}

template <std::size_t N>
bool is_zero(const std::array<std::uint8_t, N>& id) {
  return std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; });
}

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  std::string text(2 * N, '0');
  for (std::size_t i = 0; i < N; ++i) {
    text[2 * i] = kHex[bytes[i] >> 4U];
    text[2 * i + 1] = kHex[bytes[i] & 15U];
  }
  return text;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  constexpr std::size_t kTraceAt = 3;
  constexpr std::size_t kSpanAt = 36;
  constexpr std::size_t kFlagsAt = 53;
  if (text.size() < kTraceparentBytes) return std::nullopt;
  if (text[kTraceAt - 1] != '-' || text[kSpanAt - 1] != '-' || text[kFlagsAt - 1] != '-') {
    return std::nullopt;
  }
  TraceContext context;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  if (!read_hex(text, version) || !read_hex(text.substr(kTraceAt), context.trace_id) ||
      !read_hex(text.substr(kSpanAt), context.span_id) || !read_hex(text.substr(kFlagsAt), flags)) {
    return std::nullopt;
  }
  const bool is_longer = text.size() > kTraceparentBytes;
  if (version[0] == 0xFF || (version[0] == 0 && is_longer)) return std::nullopt;
  if (is_longer && text[kTraceparentBytes] != '-') return std::nullopt;
  if (is_zero(context.trace_id) || is_zero(context.span_id)) return std::nullopt;
  context.flags = flags[0] & (kTraceSampled | kTraceRandom);
  return context;
}

std::string format_traceparent(const TraceContext& context) {
  return "00-" + hex(context.trace_id) + '-' + hex(context.span_id) + '-' +
         hex(std::array<std::uint8_t, 1>{context.flags});
}

std::string hex_of(const TraceId& id) {
  return hex(id);
}

std::string hex_of(const SpanId& id) {
  return hex(id);
}

}  // namespace backplane
