// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/blocking_http.hpp"

#include "runtime/net/http.hpp"
#include "runtime/net/loop.hpp"

#include <backplane/plugin.hpp>
#include <future>

namespace backplane::cli {
namespace {

constexpr std::size_t kGatheredBytesMax = 1024 * 1024;

struct Exchange {
  const std::function<bool(std::string_view)>& on_data;
  HttpAnswer answer;
  Error error;
  bool failed = false;
  std::promise<void> over;
};

Exchange& self_of(void* context) {
  return *static_cast<Exchange*>(context);
}

std::uint32_t take(Exchange& exchange, std::string_view bytes) {
  if (exchange.on_data && exchange.answer.status / 100 == 2) {
    if (exchange.on_data(bytes)) return BP_FLOW_CONTINUE;
    exchange.over.set_value();
    return BP_FLOW_STOP;
  }
  const std::size_t room = kGatheredBytesMax - exchange.answer.body.size();
  exchange.answer.body.append(bytes.substr(0, room));
  return BP_FLOW_CONTINUE;
}

constexpr bp_http_handler kHandler{
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair*, std::uint64_t) {
      self_of(context).answer.status = status;
    },
    [](void* context, bp_str bytes) { return take(self_of(context), view(bytes)); },
    [](void* context) { self_of(context).over.set_value(); },
    [](void* context, const bp_error* error) {
      self_of(context).failed = true;
      self_of(context).error = error_of(*error);
      self_of(context).over.set_value();
    }};

}  // namespace

BlockingHttp::BlockingHttp() = default;
BlockingHttp::~BlockingHttp() = default;

Result<std::unique_ptr<BlockingHttp>> BlockingHttp::create() {
  std::unique_ptr<BlockingHttp> http(new BlockingHttp());
  auto loops = Loops::start(1);
  if (!loops) return loops.error();
  http->loops_ = std::move(*loops);
  auto client = HttpClient::create(*http->loops_, {});
  if (!client) return client.error();
  http->client_ = std::move(*client);
  return http;
}

Result<HttpAnswer> BlockingHttp::request(
    std::string_view method, const std::string& url,
    const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body,
    const std::function<bool(std::string_view)>& on_data) {
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : headers) pairs.push_back({str(name), str(value)});
  const bp_str piece = str(body);
  const bp_loop_service* loops = loops_->table();
  Exchange exchange{on_data, {}, {}, false, {}};
  bp_http_request request{};
  request.struct_size = sizeof(bp_http_request);
  request.loop = loops->at(loops->context, 0);
  request.method = str(method);
  request.url = str(url);
  request.headers = pairs.data();
  request.header_count = pairs.size();
  request.body = &piece;
  request.body_count = body.empty() ? 0 : 1;
  struct Start {
    const bp_http* http;
    const bp_http_request* request;
    Exchange* exchange;
  } start{client_->table(), &request, &exchange};
  loops->post(
      request.loop,
      [](void* argument) {
        const auto& [http, wanted, running] = *static_cast<Start*>(argument);
        bp_http_exchange* out = nullptr;
        bp_error error{};
        if (http->send(http->context, wanted, &kHandler, running, &out, &error) == BP_CODE_OK) {
          return;
        }
        running->failed = true;
        running->error = error_of(error);
        running->over.set_value();
      },
      &start);
  exchange.over.get_future().wait();
  if (exchange.failed) return exchange.error;
  return std::move(exchange.answer);
}

}  // namespace backplane::cli
