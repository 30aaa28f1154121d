// SPDX-License-Identifier: Apache-2.0
// bp.http/1 in virtual time with a collector behind it that answers as the test says and reads
// what it gets as JSON.
#pragma once

#include "tests/runtime/pipeline/virtual_loops.hpp"

#include <backplane/http.h>
#include <boost/json.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace backplane::test {

class VirtualCollector {
 public:
  struct Answer {
    std::uint32_t status = 200;  // 0: the exchange fails
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body = "{}";
    std::uint64_t delay_ms = 10;  // kNever: nothing comes
  };
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  struct Request {
    std::string method, url;
    std::map<std::string, std::string> headers;
    boost::json::value body;
    std::int64_t at_ns = 0;
  };

  explicit VirtualCollector(VirtualLoops& loops);
  VirtualCollector(const VirtualCollector&) = delete;
  VirtualCollector& operator=(const VirtualCollector&) = delete;

  const bp_http& table() const { return table_; }

  // Of the next requests; then 200.
  std::deque<Answer> answers;
  std::vector<Request> requests;
  int under_way = 0;
  int most_under_way = 0;
  int cancelled = 0;

  // All spans of all requests, in order.
  std::vector<boost::json::object> spans() const;

 private:
  struct Exchange;
  static std::uint32_t send(void* self, const bp_http_request* request,
                            const bp_http_handler* handler, void* context, bp_http_exchange** out,
                            bp_error* error);
  VirtualLoops& loops_;
  bp_http table_;
};

// The value of a span's attribute as text; "<none>" where it has none.
std::string attribute(const boost::json::object& span, std::string_view key);
std::string text_at(const boost::json::object& object, std::string_view key);

}  // namespace backplane::test
