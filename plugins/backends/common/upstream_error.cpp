// SPDX-License-Identifier: Apache-2.0
#include "common/upstream_error.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "common/error_kind.hpp"
#include "common/retry_after.hpp"
#include "common/wait_time.hpp"

namespace backplane::dialect {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kSecretMinBytes = 4;
constexpr std::string_view kHidden = "[hidden]";
constexpr std::string_view kErrorType = "UPSTREAM_ERROR";

// What an error document says, in any of the shapes that providers use.
struct Details {
  std::string message;
  std::string code;  // where it is text
  std::string type;
  std::uint32_t status = 0;
  bool is_moderated = false;  // it names reasons not to answer
};

std::string text_of(const dom::element& element, std::string_view name) {
  std::string_view text;
  if (element[name].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::uint32_t status_of(const dom::element& element) {
  for (const std::string_view name : {"status_code", "status", "code"}) {
    std::uint64_t status = 0;
    std::string_view text;
    if (element[name].get(text) == simdjson::SUCCESS && text.size() == 3) {
      std::from_chars(text.data(), text.data() + text.size(), status);
    } else if (element[name].get(status) != simdjson::SUCCESS) {
      continue;
    }
    if (status >= 400 && status <= 599) return static_cast<std::uint32_t>(status);
  }
  return 0;
}

void read_object(const dom::element& element, Details& details) {
  if (details.message.empty()) details.message = text_of(element, "message");
  if (details.message.empty()) details.message = text_of(element, "msg");
  if (details.code.empty()) details.code = text_of(element, "code");
  if (details.type.empty()) details.type = text_of(element, "type");
  if (details.status == 0) details.status = status_of(element);
  dom::array reasons;
  details.is_moderated |= !element["metadata"]["reasons"].get(reasons);
}

// `error` and `detail` are a text, an object, or a list of objects; an object may have an `error`
// of its own.
void read_member(const dom::element& root, std::string_view name, Details& details,
                 int levels = 2) {
  dom::element member;
  std::string_view text;
  dom::array list;
  if (root[name].get(member) != simdjson::SUCCESS) return;
  if (member.get(text) == simdjson::SUCCESS) {
    details.message = text;
  } else if (member.get(list) == simdjson::SUCCESS) {
    for (const dom::element item : list) read_object(item, details);
  } else {
    read_object(member, details);
    if (levels > 1) read_member(member, "error", details, levels - 1);
  }
}

Details read_details(std::string_view body) {
  Details details;
  dom::parser parser;
  dom::element root;
  if (body.empty()) return details;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return details;
  if (!root.is_object()) return details;
  read_member(root, "error", details);
  if (details.message.empty()) read_member(root, "detail", details);
  read_object(root, details);
  return details;
}

std::string cut(std::string text) {
  if (text.size() <= kMessageMaxBytes) return text;
  std::size_t size = kMessageMaxBytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  text.resize(size);
  return text;
}

Error provider_error(std::string message, std::uint64_t retry_after_ms) {
  return {Code::kInternal, std::move(message), std::string(kErrorType), 502, retry_after_ms};
}

Error unavailable(std::string message, std::uint32_t status, std::uint64_t retry_after_ms) {
  return {Code::kUnavailable, std::move(message), std::string(kErrorType), status, retry_after_ms};
}

// An error of the client's making, in the provider's words.
Error client_error(std::uint32_t status, std::string_view type, const Details& details,
                   const Scrubber& scrubber) {
  const bool is_missing = status == 404;
  std::string message = cut(scrubber.scrub(details.message));
  if (message.empty()) {
    message = is_missing ? "the provider does not know what the request names"
                         : "the provider refused the request";
  }
  return {is_missing ? Code::kNotFound : Code::kInvalidArgument, std::move(message),
          std::string(type), status, 0};
}

Error error_by_status(std::uint32_t status, const Details& details, std::uint64_t retry_after_ms,
                      const Scrubber& scrubber) {
  if (status == 400 || status == 413 || status == 422) {
    return client_error(status, {}, details, scrubber);
  }
  if (status == 404 || status == 410) return client_error(404, {}, details, scrubber);
  if (status == 0) return provider_error("the provider reported an error", 0);
  if (status < 400) {
    return provider_error("the provider answered with a redirect, which is not followed", 0);
  }
  return provider_error("the provider failed with status " + std::to_string(status),
                        retry_after_ms);
}

Error map(std::uint32_t status, const Details& details, std::uint64_t retry_after_ms,
          const Scrubber& scrubber) {
  ErrorKind kind = error_kind(status, details.code, details.type, details.message);
  if (kind == ErrorKind::kAuth && details.is_moderated) kind = ErrorKind::kContentPolicy;
  switch (kind) {
    case ErrorKind::kContextLength:
      return client_error(400, "CONTEXT_LENGTH_EXCEEDED", details, scrubber);
    case ErrorKind::kContentPolicy:
      return client_error(status == 422 ? 422 : 400, "CONTENT_POLICY_VIOLATION", details, scrubber);
    case ErrorKind::kModelMissing:
      return client_error(404, "MODEL_NOT_FOUND", details, scrubber);
    case ErrorKind::kAuth:
      return {Code::kInternal, "the provider refused this gateway's credentials", "UPSTREAM_AUTH",
              502, 0};
    case ErrorKind::kQuota:
      return {Code::kUnavailable, "the provider refused this gateway's account", "UPSTREAM_QUOTA",
              502, 0};
    case ErrorKind::kRateLimit:
      if (retry_after_ms == 0) {
        retry_after_ms = std::min(advised_wait_ms(details.message), kRetryAfterMaxMs);
      }
      return {Code::kResourceExhausted, "the provider is rate limiting this gateway",
              "RATE_LIMITED", 429, retry_after_ms};
    case ErrorKind::kOverloaded:
      return unavailable("the provider is overloaded or not ready", 503, retry_after_ms);
    case ErrorKind::kTimeout:
      return unavailable("the provider did not answer in time", 504, 0);
    case ErrorKind::kByStatus:
      break;
  }
  return error_by_status(status, details, retry_after_ms, scrubber);
}

char lower(char byte) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char byte) { return lower(byte); });
  return out;
}

}  // namespace

Scrubber::Scrubber(std::string_view base_url, const std::vector<std::string>& secrets) {
  const std::size_t scheme = base_url.find("://");
  std::string_view host = base_url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  const std::size_t port = host.rfind(':');
  hidden_.push_back(lower(host));
  if (port != std::string_view::npos) hidden_.push_back(lower(host.substr(0, port)));
  for (const std::string& secret : secrets) hidden_.push_back(lower(secret));
  const auto is_short = [](const std::string& text) { return text.size() < kSecretMinBytes; };
  hidden_.erase(std::remove_if(hidden_.begin(), hidden_.end(), is_short), hidden_.end());
  std::sort(hidden_.begin(), hidden_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string Scrubber::scrub(std::string text) const {
  for (const std::string& word : hidden_) {
    std::size_t at = 0;
    while (true) {
      const auto found =
          std::search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), word.begin(),
                      word.end(), [](char a, char b) { return lower(a) == b; });
      if (found == text.end()) break;
      at = static_cast<std::size_t>(found - text.begin());
      text.replace(at, word.size(), kHidden);
      at += kHidden.size();
    }
  }
  return text;
}

Error upstream_error(std::uint32_t status, std::string_view body, std::uint64_t retry_after_ms,
                     const Scrubber& scrubber) {
  return map(status, read_details(body), retry_after_ms, scrubber);
}

Error document_error(std::string_view document, const Scrubber& scrubber) {
  const Details details = read_details(document);
  std::uint32_t status = details.status;
  if (status == 0 && details.type == "invalid_request_error") status = 400;
  return map(status, details, 0, scrubber);
}

}  // namespace backplane::dialect
