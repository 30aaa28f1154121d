// SPDX-License-Identifier: Apache-2.0
#include "common/error_kind.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace backplane::dialect {
namespace {

struct KnownCode {
  std::string_view code;  // in lower case
  ErrorKind kind;
};

constexpr std::array kCodes{
    KnownCode{"context_length_exceeded", ErrorKind::kContextLength},
    KnownCode{"context_window_exceeded", ErrorKind::kContextLength},
    KnownCode{"exceed_context_size_error", ErrorKind::kContextLength},
    KnownCode{"too_many_tokens", ErrorKind::kContextLength},
    KnownCode{"content_filter", ErrorKind::kContentPolicy},
    KnownCode{"content_policy_violation", ErrorKind::kContentPolicy},
    KnownCode{"moderation_blocked", ErrorKind::kContentPolicy},
    KnownCode{"invalid_model", ErrorKind::kModelMissing},
    KnownCode{"model_decommissioned", ErrorKind::kModelMissing},
    KnownCode{"model_deprecated", ErrorKind::kModelMissing},
    KnownCode{"model_not_found", ErrorKind::kModelMissing},
    KnownCode{"api_key_diem_spend_limit_exceeded", ErrorKind::kQuota},
    KnownCode{"api_key_usd_spend_limit_exceeded", ErrorKind::kQuota},
    KnownCode{"billing_hard_limit_reached", ErrorKind::kQuota},
    KnownCode{"insufficient_balance", ErrorKind::kQuota},
    KnownCode{"insufficient_quota", ErrorKind::kQuota},
    KnownCode{"payment_required", ErrorKind::kQuota},
    KnownCode{"rate_limit_exceeded", ErrorKind::kRateLimit},
    KnownCode{"rate_limit_error", ErrorKind::kRateLimit},
    KnownCode{"capacity_exceeded", ErrorKind::kOverloaded},
    KnownCode{"model_at_capacity", ErrorKind::kOverloaded},
    KnownCode{"model_offline", ErrorKind::kOverloaded},
    KnownCode{"model_overloaded", ErrorKind::kOverloaded},
    KnownCode{"overloaded_error", ErrorKind::kOverloaded},
    KnownCode{"queue_full", ErrorKind::kOverloaded},
    KnownCode{"unavailable_error", ErrorKind::kOverloaded},
    KnownCode{"request_timeout", ErrorKind::kTimeout},
    KnownCode{"authentication_error", ErrorKind::kAuth},
    KnownCode{"authentication_failed", ErrorKind::kAuth},
    KnownCode{"authentication_failed_inactive_key", ErrorKind::kAuth},
    KnownCode{"invalid_api_key", ErrorKind::kAuth},
};

// Of servers that give no code.
constexpr std::array<std::string_view, 6> kTooLongWords{"context length",  "context size",
                                                        "context window",  "prompt is too long",
                                                        "too many tokens", "reduce the length"};

std::string lower(std::string_view text) {
  constexpr std::size_t kReadMax = 1024;
  std::string out(text.substr(0, kReadMax));
  for (char& byte : out) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
  }
  return out;
}

ErrorKind kind_of_code(std::string_view text) {
  const std::string code = lower(text);
  const auto found = std::find_if(kCodes.begin(), kCodes.end(),
                                  [&](const KnownCode& known) { return known.code == code; });
  return found == kCodes.end() ? ErrorKind::kByStatus : found->kind;
}

bool speaks_of_length(std::string_view message) {
  const std::string text = lower(message);
  return std::any_of(kTooLongWords.begin(), kTooLongWords.end(),
                     [&](std::string_view words) { return text.find(words) != std::string::npos; });
}

}  // namespace

ErrorKind error_kind(std::uint32_t status, std::string_view code, std::string_view type,
                     std::string_view message) {
  ErrorKind kind = kind_of_code(code);
  if (kind == ErrorKind::kByStatus) kind = kind_of_code(type);
  if (kind != ErrorKind::kByStatus) return kind;
  switch (status) {
    case 400:
    case 413:
    case 422:
      return speaks_of_length(message) ? ErrorKind::kContextLength : ErrorKind::kByStatus;
    case 401:
    case 403:
      return ErrorKind::kAuth;
    case 402:
      return ErrorKind::kQuota;
    case 408:
    case 504:
    case 522:
    case 524:
      return ErrorKind::kTimeout;
    case 429:
      return ErrorKind::kRateLimit;
    case 498:
    case 503:
    case 529:
      return ErrorKind::kOverloaded;
    default:
      return ErrorKind::kByStatus;
  }
}

}  // namespace backplane::dialect
