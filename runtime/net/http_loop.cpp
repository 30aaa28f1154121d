// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_loop.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>

#include "runtime/net/http_request.hpp"

namespace backplane {

namespace {

constexpr std::size_t kSpareExchangesMax = 256;
constexpr std::size_t kPoolsKept = 1'024;  // above it, those that are not in use go

std::string_view view_of(const bp_str& text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

}  // namespace

LoopHttp::LoopHttp(EventLoop& loop, ssl_ctx_st& tls, Resolver& resolver,
                   std::size_t connections_per_host_max)
    : loop_(loop),
      sweep_(loop),
      tls_(tls),
      resolver_(resolver),
      connections_per_host_max_(connections_per_host_max) {}

LoopHttp::~LoopHttp() = default;

Result<Exchange*> LoopHttp::send(const bp_http_request& request, const bp_http_handler& handler,
                                 void* context) {
  const auto url = parse_url(view_of(request.url));
  if (!url) return url.error();
  auto exchange = take_exchange();
  const Status written = write_head(request, *url, exchange->head);
  if (!written) {
    exchange->clear();
    spare_exchanges_.push_back(std::move(exchange));
    return written.error();
  }
  HostPool& pool = pool_of(*url);
  exchange->begin(request, handler, context, pool);
  sweep_.add(*exchange);
  Exchange* owned = exchange.release();
  pool.submit(*owned);
  return owned;
}

std::unique_ptr<Exchange> LoopHttp::take_exchange() {
  if (spare_exchanges_.empty()) return std::make_unique<Exchange>(*this);
  auto exchange = std::move(spare_exchanges_.back());
  spare_exchanges_.pop_back();
  return exchange;
}

HostPool& LoopHttp::pool_of(const Url& url) {
  const auto found = pools_.find(url.origin);
  if (found != pools_.end()) return *found->second;
  if (pools_.size() >= kPoolsKept) {
    std::erase_if(pools_, [](const auto& pool) { return pool.second->is_unused(); });
  }
  return *pools_.emplace(url.origin, std::make_unique<HostPool>(*this, url)).first->second;
}

void LoopHttp::close_all() {
  closing_ = true;
  for (const auto& pool : pools_) pool.second->close_all();
  for (Exchange* exchange : std::exchange(failed_, {})) destroy(*exchange);
}

void LoopHttp::fail(Exchange& exchange, Error error) {
  exchange.stop_upload();
  exchange.error = std::move(error);
  exchange.phase = Phase::kFailed;
  sweep_.set(exchange, 0);
  failed_.push_back(&exchange);
  loop_.defer(*this);
}

void LoopHttp::forget(Exchange& exchange) {
  std::erase(failed_, &exchange);
}

void LoopHttp::destroy(Exchange& exchange) {
  std::unique_ptr<Exchange> owned(&exchange);
  sweep_.remove(exchange);
  // Whoever offered a body may be gone before this is.
  if (closing_) exchange.abandon_upload();
  exchange.stop_upload();
  if (spare_exchanges_.size() >= kSpareExchangesMax) return;
  exchange.clear();
  spare_exchanges_.push_back(std::move(owned));
}

void LoopHttp::at_turn_end() {
  for (std::size_t left = failed_.size(); left > 0 && !failed_.empty(); --left) {
    Exchange& exchange = *failed_.front();
    failed_.erase(failed_.begin());
    bp_error error{};
    report(exchange.error, &error);
    const bp_http_handler& handler = *exchange.handler;
    void* const context = exchange.context;
    destroy(exchange);
    handler.failed(context, &error);
  }
  if (!failed_.empty()) loop_.defer(*this);
}

void LoopHttp::resolve(const std::string& origin, const std::string& host, std::uint16_t port) {
  resolver_.resolve(origin, host, port, *this);
}

void LoopHttp::on_addresses(const std::string& origin, Addresses addresses) {
  {
    const std::lock_guard lock(mutex_);
    answers_.emplace_back(origin, std::move(addresses));
  }
  loop_.post([](void* self) { static_cast<LoopHttp*>(self)->collect_addresses(); }, this);
}

void LoopHttp::collect_addresses() {
  std::vector<std::pair<std::string, Addresses>> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (auto& [origin, addresses] : answers) {
    const auto pool = pools_.find(origin);
    if (pool != pools_.end()) pool->second->on_addresses(std::move(addresses));
  }
}

}  // namespace backplane
