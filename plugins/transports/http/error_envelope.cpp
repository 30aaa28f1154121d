// SPDX-License-Identifier: Apache-2.0
#include "error_envelope.hpp"

#include "json_text.hpp"

#include <array>

namespace backplane::http {
namespace {

struct Default {
  std::uint32_t status;
  std::string_view code;
};

// By BP_CODE_*.
constexpr std::array<Default, 17> kDefaults = {{
    {500, "INTERNAL"},
    {499, "CANCELLED"},
    {500, "INTERNAL"},
    {400, "INVALID_REQUEST"},
    {504, "DEADLINE_EXCEEDED"},
    {404, "NOT_FOUND"},
    {409, "ALREADY_EXISTS"},
    {403, "PERMISSION_DENIED"},
    {429, "RESOURCE_EXHAUSTED"},
    {400, "FAILED_PRECONDITION"},
    {409, "ABORTED"},
    {400, "OUT_OF_RANGE"},
    {501, "UNIMPLEMENTED"},
    {500, "INTERNAL"},
    {503, "UNAVAILABLE"},
    {502, "DATA_LOSS"},
    {401, "UNAUTHENTICATED"},
}};

std::string_view type_of(std::uint32_t status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "insufficient_quota";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

ErrorClass classify(const Error& error) {
  const auto index = static_cast<std::size_t>(error.code);
  const Default& preset = kDefaults[index < kDefaults.size() ? index : 0];
  const bool given = error.http_status >= 400 && error.http_status <= 599;
  const std::uint32_t status = given ? error.http_status : preset.status;
  return {status, error.type.empty() ? preset.code : std::string_view(error.type), type_of(status)};
}

Error protocol_error(std::uint32_t status, std::string_view code, std::string message) {
  return {Code::kInvalidArgument, std::move(message), std::string(code), status, 0};
}

Error body_too_large() {
  return protocol_error(413, "REQUEST_TOO_LARGE", "the body is too large; send less at once");
}

Error too_many_bodies() {
  return {Code::kUnavailable, "too many request bodies are held at once; try again soon",
          "OVERLOADED", 503, 1000};
}

void append_envelope(std::string& out, const Error& error) {
  const ErrorClass kind = classify(error);
  out += R"({"error":{"message":)";
  append_json_string(out, error.message.empty() ? kind.code : std::string_view(error.message));
  out += R"(,"type":)";
  append_json_string(out, kind.type);
  out += R"(,"param":null,"code":)";
  append_json_string(out, kind.code);
  out += "}}";
}

void append_error_headers(std::string& out, const Error& error) {
  constexpr std::uint64_t kMillisecondsPerSecond = 1000;
  if (error.retry_after_ms > 0) {
    const std::uint64_t seconds = (error.retry_after_ms - 1) / kMillisecondsPerSecond + 1;
    out += "retry-after: ";
    append_number(out, seconds);
    out += "\r\nretry-after-ms: ";
    append_number(out, error.retry_after_ms);
    out += "\r\n";
  }
  const std::uint32_t status = classify(error).status;
  if (status == 409) out += "x-should-retry: false\r\n";
  const bool challenged = out.find("www-authenticate: ") != std::string::npos;
  if (status == 401 && !challenged) out += "www-authenticate: Bearer\r\n";
}

}  // namespace backplane::http
