// SPDX-License-Identifier: Apache-2.0
#include "common/http_get.hpp"

#include <utility>

#include "common/call_error.hpp"

namespace backplane::dialect {

std::string_view HttpReply::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

const bp_http_handler HttpGet::kHandler{
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair* headers, std::uint64_t count) {
      sdk::guarded_void([&] { self(context).take_head(status, {headers, count}); });
    },
    [](void* context, bp_str bytes) { return self(context).take_data(view(bytes)); },
    [](void* context) {
      HttpGet& get = self(context);
      get.exchange_ = nullptr;
      sdk::guarded_void([&] { get.finish(std::move(get.reply_)); });
    },
    [](void* context, const bp_error* error) {
      HttpGet& get = self(context);
      get.exchange_ = nullptr;
      sdk::guarded_void([&] { get.finish(bad_answer(Code::kUnavailable, error->message)); });
    }};

HttpGet::~HttpGet() {
  if (exchange_ != nullptr) http_->cancel(exchange_);
}

Status HttpGet::send(bp_loop* loop, std::string_view url, const std::vector<Header>& headers,
                     const Limits& limits, Done done) {
  std::vector<bp_pair> pairs;
  for (const Header& header : headers) pairs.push_back({str(header.name), str(header.value)});
  bp_http_request request{};
  request.struct_size = sizeof(request);
  request.first_byte_timeout_ms = limits.timeout_ms;
  request.total_timeout_ms = limits.timeout_ms;
  request.loop = loop;
  request.method = str("GET");
  request.url = str(url);
  request.headers = pairs.data();
  request.header_count = pairs.size();
  body_max_bytes_ = limits.body_max_bytes;
  done_ = std::move(done);
  bp_error error{};
  if (http_->send(http_->context, &request, &kHandler, this, &exchange_, &error) != BP_CODE_OK) {
    exchange_ = nullptr;
    return bad_answer(Code::kUnavailable, error.message);
  }
  return ok();
}

void HttpGet::take_head(std::uint32_t status, std::span<const bp_pair> headers) {
  reply_.status = status;
  for (const bp_pair& header : headers) {
    reply_.headers.push_back({std::string(view(header.name)), std::string(view(header.value))});
  }
}

std::uint32_t HttpGet::take_data(std::string_view bytes) {
  bool is_kept = false;
  if (bytes.size() <= body_max_bytes_ - reply_.body.size()) {
    sdk::guarded_void([&] {
      reply_.body.append(bytes);
      is_kept = true;
    });
  }
  if (is_kept) return BP_FLOW_CONTINUE;
  exchange_ = nullptr;
  sdk::guarded_void([&] { finish(bad_answer(Code::kUnavailable, "the response is too large")); });
  return BP_FLOW_STOP;
}

// Last of all, as it may destroy this.
void HttpGet::finish(Result<HttpReply> result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

}  // namespace backplane::dialect
