// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/http_client.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace backplane::local {
namespace {

constexpr std::uint64_t kRetryAfterMaxMs = 300'000;
constexpr std::size_t kHeaderBytesMax = 8192;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 300));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void read_header(HttpAnswer& answer, const std::string& name, std::string_view value) {
  if (name == "content-range") answer.content_range = value;
  if (name == "link") answer.link = value;
  if (name == "x-error-message") answer.error_message = printable(value);
  std::uint64_t seconds = 0;
  if (name == "retry-after" &&
      std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc()) {
    answer.retry_after_ms = std::min(seconds, kRetryAfterMaxMs / 1000) * 1000;
  }
}

}  // namespace

std::string origin_of(const std::string& url) {
  const bool is_secure = lower(url.substr(0, 8)) == "https://";
  if (!is_secure && lower(url.substr(0, 7)) != "http://") return "";
  const std::size_t begin = is_secure ? 8 : 7;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  std::string host = lower(url.substr(begin, end - begin));
  if (const std::size_t at = host.rfind('@'); at != std::string::npos) host.erase(0, at + 1);
  if (host.empty()) return "";
  const std::size_t colon = host.rfind(':');
  if (colon == std::string::npos || host.back() == ']') host += is_secure ? ":443" : ":80";
  return (is_secure ? "https://" : "http://") + host;
}

struct HttpClient::Request {
  HttpClient* client = nullptr;
  HttpGet get;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  int redirects = 0;
  HttpAnswer answer;
  std::string commit;  // the hub names it before it redirects
  std::string error_body;
  bool is_stopped = false;  // on_body said so
  std::array<char, CURL_ERROR_SIZE> failure{};

  ~Request() {
    client->curl_.multi_remove_handle(client->multi_, easy);
    client->curl_.easy_cleanup(easy);
    client->curl_.slist_free_all(headers);
  }
};

Result<std::unique_ptr<HttpClient>> HttpClient::create(HttpOptions options) {
  const auto curl = fetch::CurlLibrary::load();
  if (!curl) return curl.error();
  return std::unique_ptr<HttpClient>(new HttpClient(**curl, std::move(options)));
}

HttpClient::HttpClient(const fetch::CurlLibrary& curl, HttpOptions options)
    : curl_(curl), options_(std::move(options)), multi_(curl.multi_init()) {}

HttpClient::~HttpClient() {
  running_.clear();
  curl_.multi_cleanup(multi_);
}

void HttpClient::cancel_all() {
  running_.clear();
}

void HttpClient::start(HttpGet get) {
  auto request = std::make_unique<Request>();
  request->client = this;
  request->get = std::move(get);
  request->easy = curl_.easy_init();
  prepare(*request);
  running_.push_back(std::move(request));
}

void HttpClient::prepare(Request& request) {
  CURL* easy = request.easy;
  curl_.easy_reset(easy);
  curl_.slist_free_all(request.headers);
  request.headers = nullptr;
  request.answer = {};
  request.error_body.clear();
  const auto set = [&](CURLoption option, auto value) { curl_.easy_setopt(easy, option, value); };
  set(CURLOPT_URL, request.get.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  // One connection each: what runs over one is as fast as one.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "backplane");
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, options_.idle_timeout_s);
  set(CURLOPT_ERRORBUFFER, request.failure.data());
  set(CURLOPT_PRIVATE, static_cast<void*>(&request));
  set(CURLOPT_HEADERFUNCTION, &HttpClient::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&request));
  set(CURLOPT_WRITEFUNCTION, &HttpClient::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&request));
  if (request.get.range) {
    set(CURLOPT_RANGE, (std::to_string(request.get.range->begin) + "-" +
                        std::to_string(request.get.range->end - 1))
                           .c_str());
  }
  if (!options_.token.empty() && origin_of(request.get.url) == options_.hub_origin) {
    const std::string line = "Authorization: Bearer " + options_.token;
    request.headers = curl_.slist_append(nullptr, line.c_str());
    set(CURLOPT_HTTPHEADER, request.headers);
  }
  curl_.multi_add_handle(multi_, easy);
}

std::size_t HttpClient::on_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& request = *static_cast<Request*>(context);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // also after 100 Continue
    request.answer = {};
    const std::string_view code = line.substr(std::min(line.find(' ') + 1, line.size()), 3);
    std::from_chars(code.data(), code.data() + code.size(), request.answer.status);
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.size() > kHeaderBytesMax) return line.size();
  std::string_view value = line.substr(colon + 1);
  const std::size_t first = value.find_first_not_of(" \t");
  value = first == std::string_view::npos ? "" : value.substr(first);
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  const std::string name = lower(line.substr(0, colon));
  if (name == "x-repo-commit") request.commit = printable(value);
  request.answer.commit = request.commit;
  read_header(request.answer, name, value);
  return line.size();
}

std::size_t HttpClient::on_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& request = *static_cast<Request*>(context);
  const std::size_t bytes = size * count;
  if (request.answer.status != 200 && request.answer.status != 206) {
    request.error_body.append(
        data, std::min(bytes, kErrorBodyBytesMax -
                                  std::min(kErrorBodyBytesMax, request.error_body.size())));
    return bytes;
  }
  if (request.get.on_body(request.answer, data, bytes)) return bytes;
  request.is_stopped = true;
  return 0;
}

void HttpClient::run_some(std::chrono::milliseconds wait) {
  int count = 0;
  curl_.multi_perform(multi_, &count);
  curl_.multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  curl_.multi_perform(multi_, &count);
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    void* context = nullptr;
    curl_.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
    finish(*static_cast<Request*>(context), result);
  }
}

std::string HttpClient::redirect_target(Request& request) {
  char* target = nullptr;
  curl_.easy_getinfo(request.easy, CURLINFO_REDIRECT_URL, &target);
  return target == nullptr ? "" : target;
}

void HttpClient::finish(Request& request, CURLcode result) {
  const std::string target = is_redirect(request.answer.status) ? redirect_target(request) : "";
  const bool is_downgrade = !target.empty() && origin_of(request.get.url).starts_with("https:") &&
                            !origin_of(target).starts_with("https:");
  if (result == CURLE_OK && !target.empty() && !is_downgrade && request.redirects < kRedirectsMax) {
    ++request.redirects;
    request.get.url = target;
    curl_.multi_remove_handle(multi_, request.easy);
    prepare(request);
    return;
  }
  const auto own = std::find_if(running_.begin(), running_.end(),
                                [&](const auto& one) { return one.get() == &request; });
  const std::unique_ptr<Request> ended = std::move(*own);
  running_.erase(own);
  HttpAnswer& answer = ended->answer;
  if (result != CURLE_OK && !ended->is_stopped) {
    answer.failure = ended->failure[0] != 0 ? ended->failure.data() : curl_.easy_strerror(result);
  }
  if (is_redirect(answer.status)) {
    answer.failure = is_downgrade ? "a redirect away from https" : "too many redirects";
  }
  if (answer.error_message.empty()) answer.error_message = printable(ended->error_body);
  ended->get.on_done(answer);
}

Result<HttpAnswer> HttpClient::get_text(const std::string& url, std::size_t bytes_max,
                                        std::string& body,
                                        const std::function<bool()>& should_stop) {
  std::optional<HttpAnswer> found;
  bool is_too_long = false;
  body.clear();
  HttpGet get;
  get.url = url;
  get.on_body = [&](const HttpAnswer&, const char* data, std::size_t bytes) {
    is_too_long = body.size() + bytes > bytes_max;
    if (!is_too_long) body.append(data, bytes);
    return !is_too_long;
  };
  get.on_done = [&](const HttpAnswer& answer) { found = answer; };
  start(std::move(get));
  while (!found) {
    if (should_stop()) {
      cancel_all();
      return Error{Code::kCancelled, "interrupted", {}, 0, 0};
    }
    run_some(std::chrono::milliseconds(100));
  }
  if (is_too_long)
    found->failure = "an answer of more than " + std::to_string(bytes_max) + " bytes";
  return *found;
}

}  // namespace backplane::local
