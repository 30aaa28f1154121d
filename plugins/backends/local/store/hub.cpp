// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/hub.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

constexpr std::uint64_t kFirstDelayMs = 500;
constexpr std::uint64_t kLastDelayMs = 30'000;

std::string encoded(std::string_view path, bool keeps_slash) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                          byte == '.' || byte == '~' || (byte == '/' && keeps_slash);
    if (is_plain) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4U];
      out += "0123456789ABCDEF"[byte & 15U];
    }
  }
  return out;
}

}  // namespace

std::chrono::milliseconds retry_delay(const HttpAnswer& answer, std::size_t failures) {
  const std::uint64_t delay_ms =
      std::min(kLastDelayMs, kFirstDelayMs << std::min<std::size_t>(failures, 16));
  return std::chrono::milliseconds(std::max(delay_ms, answer.retry_after_ms));
}

bool may_succeed_later(const HttpAnswer& answer) {
  if (answer.status == 200 || answer.status == 206) return true;  // and was cut short
  return answer.status == 0 || answer.status == 408 || answer.status == 429 || answer.status >= 500;
}

std::string Hub::file_url(const ModelSource& source, std::string_view path) const {
  return url_ + "/" + source.repository_name() + "/resolve/" + encoded(source.revision, false) +
         "/" + encoded(path, true);
}

Error Hub::refusal(const ModelSource& source, const std::string& what,
                   const HttpAnswer& answer) const {
  const std::string said = answer.error_message.empty() ? "" : " (" + answer.error_message + ")";
  const std::string page = url_ + "/" + source.repository_name();
  const std::string name = "hf:" + source.repository_name();
  const auto error = [&](Code code, const std::string& message) {
    return Error{code, message, {}, 0, 0};
  };
  switch (answer.status) {
    case 0:
      return error(Code::kUnavailable, what + ": " + answer.failure);
    case 401:
      return error(Code::kUnauthenticated,
                   has_token_
                       ? name + ": the hub refuses the token" + said +
                             "; check HF_TOKEN, and that the name is right"
                       : name + ": there is no such repository, or it is private or gated" + said +
                             "; check the name, or set HF_TOKEN to a token that " + "may read it");
    case 403:
      return error(Code::kPermissionDenied,
                   name + ": access is refused" + said + "; accept the terms at " + page +
                       (has_token_ ? " with the account of HF_TOKEN"
                                   : " and set HF_TOKEN to a token of that account"));
    case 404:
      return error(Code::kNotFound, what + " is not at the hub" + said +
                                        "; check the name and the revision (" + source.revision +
                                        ")");
    default:
      break;
  }
  std::string message = what + ": the hub answered " + std::to_string(answer.status) + said;
  if (!answer.failure.empty()) message += ": " + answer.failure;
  return error(Code::kUnavailable, message + "; run it again later");
}

Result<HttpAnswer> Hub::get(const ModelSource& source, const std::string& url, std::string& body) {
  for (std::size_t failures = 0;; ++failures) {
    auto answer = client_.get_text(url, kListingBytesMax, body, should_stop_);
    if (!answer || (answer->status == 200 && answer->failure.empty())) return answer;
    if (!may_succeed_later(*answer) || failures == retries_) {
      return refusal(source, "hf:" + source.repository_name(), *answer);
    }
    const auto until = std::chrono::steady_clock::now() + retry_delay(*answer, failures);
    while (std::chrono::steady_clock::now() < until) {
      if (should_stop_()) return Error{Code::kCancelled, "interrupted", {}, 0, 0};
      client_.run_some(std::chrono::milliseconds(50));
    }
  }
}

Result<std::vector<RemoteFile>> Hub::list(const ModelSource& source) {
  std::vector<RemoteFile> files;
  std::string url = url_ + "/api/models/" + source.repository_name() + "/tree/" +
                    encoded(source.revision, false) + "?recursive=1";
  for (std::size_t page = 0; page < kListingPagesMax; ++page) {
    std::string body;
    const auto answer = get(source, url, body);
    if (!answer) return answer.error();
    if (auto status = read_listing_page(body, files); !status) return status.error();
    url = next_page(answer->link);
    if (url.empty()) return files;
    if (url[0] == '/') url.insert(0, origin_of(url_));
    if (origin_of(url) != origin_of(url_)) {
      return Error{Code::kDataLoss, "the hub's list of files goes on at another host", {}, 0, 0};
    }
  }
  return Error{Code::kDataLoss, "the hub's list of files has no end", {}, 0, 0};
}

}  // namespace backplane::local
