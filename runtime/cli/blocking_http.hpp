// SPDX-License-Identifier: Apache-2.0
// The runtime's HTTP client for a program that waits: one request at a time on a loop of its own.
#pragma once

#include <backplane/result.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {
class HttpClient;
class Loops;
}  // namespace backplane

namespace backplane::cli {

struct HttpAnswer {
  std::uint32_t status = 0;
  std::string body;  // what the data function did not take
};

class BlockingHttp {
 public:
  static Result<std::unique_ptr<BlockingHttp>> create();
  ~BlockingHttp();

  // `on_data` is called on the loop's thread for the body of a 2xx answer, until it says false;
  // null: gather it. A body of another status is gathered, up to 1 MiB.
  Result<HttpAnswer> request(std::string_view method, const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& headers,
                             const std::string& body,
                             const std::function<bool(std::string_view)>& on_data);

 private:
  BlockingHttp();
  std::unique_ptr<Loops> loops_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace backplane::cli
