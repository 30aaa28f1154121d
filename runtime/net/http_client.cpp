// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http.hpp"

#include <backplane/plugin.hpp>

#include "runtime/net/event_loop.hpp"
#include "runtime/net/http_loop.hpp"
#include "runtime/net/http_resolver.hpp"

namespace backplane {

namespace {

std::uint32_t send(void* context, const bp_http_request* request, const bp_http_handler* handler,
                   void* handler_context, bp_http_exchange** out, bp_error* error) {
  LoopHttp* http = static_cast<HttpClient*>(context)->of(request->loop);
  if (http == nullptr) {
    return report(invalid_argument("a request is sent on its own loop, one of this host"), error);
  }
  const auto exchange = http->send(*request, *handler, handler_context);
  if (!exchange) return report(exchange.error(), error);
  *out = (*exchange)->handle();
  return BP_CODE_OK;
}

void resume(bp_http_exchange* exchange) {
  Exchange::of(exchange).resume();
}
void cancel(bp_http_exchange* exchange) {
  Exchange::of(exchange).cancel();
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::create(Loops& loops,
                                                       const HttpClientOptions& options) {
  auto tls = make_client_context(options.ca_file);
  if (!tls) return tls.error();
  return std::unique_ptr<HttpClient>(
      new HttpClient(loops, std::move(*tls), options.connections_per_host_max));
}

HttpClient::HttpClient(Loops& loops, TlsContext tls, std::size_t connections_per_host_max)
    : tls_(std::move(tls)), resolver_(std::make_unique<Resolver>()) {
  for (std::uint32_t index = 0; index < loops.count(); ++index) {
    loop_https_.push_back(
        std::make_unique<LoopHttp>(loops.at(index), *tls_, *resolver_, connections_per_host_max));
  }
  table_ = {sizeof(table_), 0, this, send, resume, cancel};
}

HttpClient::~HttpClient() {
  resolver_.reset();
  for (const auto& http : loop_https_) http->loop().run_and_wait([&] { http->close_all(); });
  // One more turn: connections destroy themselves at the end of the first.
  for (auto& http : loop_https_) {
    http->loop().run_and_wait([&] { http.reset(); });
  }
}

std::int64_t HttpClient::count(LoopCount HttpCounts::*which) const {
  std::int64_t sum = 0;
  for (const auto& http : loop_https_) sum += (http->counts().*which).get();
  return sum;
}

LoopHttp* HttpClient::of(bp_loop* loop) const {
  if (loop == nullptr || !EventLoop::of(loop).is_current()) return nullptr;
  const std::uint32_t index = EventLoop::of(loop).index();
  if (index >= loop_https_.size() || loop_https_[index]->loop().handle() != loop) return nullptr;
  return loop_https_[index].get();
}

}  // namespace backplane
