// SPDX-License-Identifier: Apache-2.0
// GET requests, several at a time, on the thread that calls run_some(). Redirects are followed one
// by one, at most kRedirectsMax: the token goes to the hub's own origin and to no other, and
// from https none leads to http.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fetch/curl_library.hpp"
#include "plugins/backends/local/store/range_plan.hpp"

namespace backplane::local {

inline constexpr int kRedirectsMax = 5;
inline constexpr long kConnectTimeoutMs = 15'000;
inline constexpr std::size_t kErrorBodyBytesMax = 4096;

// scheme://host:port of an http(s) URL, in lower case and with its port; empty for others.
std::string origin_of(const std::string& url);

struct HttpAnswer {
  long status = 0;      // 0: no answer
  std::string failure;  // why the body did not come, or not to its end
  std::uint64_t retry_after_ms = 0;
  std::string content_range;
  std::string link;
  std::string commit;         // of x-repo-commit
  std::string error_message;  // what the server says is wrong
};

struct HttpGet {
  std::string url;
  std::optional<ByteRange> range;
  // The body of 200 and 206, piece by piece; false ends the request. Headers are known by then.
  std::function<bool(const HttpAnswer&, const char*, std::size_t)> on_body;
  std::function<void(const HttpAnswer&)> on_done;
};

struct HttpOptions {
  std::string hub_origin;  // the only origin that gets the token
  std::string token;       // empty: none
  long idle_timeout_s = 30;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> create(HttpOptions options);
  ~HttpClient();

  void start(HttpGet get);
  std::size_t running() const { return running_.size(); }
  // Waits for up to `wait`, and calls what became due. Functions may start() others.
  // Returns early only when something happens.
  void run_some(std::chrono::milliseconds wait);
  // Ends all requests; none of their functions is called any more.
  void cancel_all();
  // To its end, or until `should_stop` says so (kCancelled).
  Result<HttpAnswer> get_text(const std::string& url, std::size_t bytes_max, std::string& body,
                              const std::function<bool()>& should_stop);

 private:
  struct Request;
  HttpClient(const fetch::CurlLibrary& curl, HttpOptions options);
  void prepare(Request& request);
  void finish(Request& request, CURLcode result);
  std::string redirect_target(Request& request);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context);

  const fetch::CurlLibrary& curl_;
  const HttpOptions options_;
  CURLM* multi_;
  std::list<std::unique_ptr<Request>> running_;
};

}  // namespace backplane::local
