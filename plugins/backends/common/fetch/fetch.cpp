// SPDX-License-Identifier: Apache-2.0
#include "common/fetch/fetch.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "common/fetch/curl_library.hpp"

namespace backplane::fetch {
namespace {

constexpr long kRedirectsMax = 5;
constexpr long kConnectTimeoutMs = 15'000;

struct Transfer {
  std::size_t body_bytes_max = 0;
  bool is_too_long = false;
  FetchAnswer answer;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  Transfer& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  std::string& body = transfer.answer.body;
  transfer.is_too_long = bytes > transfer.body_bytes_max - body.size();
  if (transfer.is_too_long) return 0;
  body.append(data, bytes);
  return bytes;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& headers = static_cast<Transfer*>(context)->answer.headers;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // of the answer that redirected
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.size() > kHeaderValueBytesMax) return line.size();
  if (headers.size() == kHeadersMax) return 0;
  std::string_view value = line.substr(colon + 1);
  const std::size_t first = value.find_first_not_of(" \t");
  value = first == std::string_view::npos ? "" : value.substr(first);
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  headers[lower(line.substr(0, colon))] = value;
  return line.size();
}

Error failed(const std::string& url, const std::string& why) {
  return {Code::kUnavailable, url.substr(0, url.find('?')) + ": " + why, {}, 0, 0};
}

}  // namespace

bool is_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Result<FetchAnswer> fetch(const std::string& url, const FetchOptions& options) {
  if (!is_url(url)) return failed(url, "is not a URL of http or https");
  const Result<const CurlLibrary*> loaded = CurlLibrary::load();
  if (!loaded) return loaded.error();
  const CurlLibrary& curl = **loaded;
  CURL* easy = curl.easy_init();
  if (easy == nullptr) return failed(url, "libcurl could not begin");
  Transfer transfer;
  transfer.body_bytes_max = options.body_bytes_max;
  std::array<char, CURL_ERROR_SIZE> failure{};
  const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(easy, option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https://") ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "backplane");
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(CURLOPT_TIMEOUT_MS, options.timeout_ms);
  set(CURLOPT_ERRORBUFFER, failure.data());
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  const CURLcode result = curl.easy_perform(easy);
  long status = 0;
  curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl.easy_cleanup(easy);
  if (transfer.is_too_long) return failed(url, "the answer is too long");
  if (result != CURLE_OK) {
    return failed(url, failure[0] != 0 ? failure.data() : curl.easy_strerror(result));
  }
  if (status != 200) return failed(url, "answered with status " + std::to_string(status));
  return std::move(transfer.answer);
}

}  // namespace backplane::fetch
