// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/telemetry/virtual_collector.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <span>

namespace backplane::test {

struct VirtualCollector::Exchange {
  VirtualCollector* collector;
  const bp_http_handler* handler;
  void* context;
  bp_loop* loop;
  Answer answer;
  std::uint64_t timer = 0;

  bp_http_exchange* handle() { return reinterpret_cast<bp_http_exchange*>(this); }

  void end() {
    const std::unique_ptr<Exchange> self(this);
    --collector->under_way;
    if (answer.status == 0) {
      bp_error error{};
      report(Error{Code::kUnavailable, "the upstream is not there", {}, 0, 0}, &error);
      return handler->failed(context, &error);
    }
    std::vector<bp_pair> headers;
    for (const auto& [name, value] : answer.headers) headers.push_back({str(name), str(value)});
    handler->head(context, answer.status, headers.data(), headers.size());
    handler->data(context, str(answer.body));
    handler->done(context);
  }
};

VirtualCollector::VirtualCollector(VirtualLoops& loops)
    : loops_(loops),
      table_{
          sizeof(bp_http), 0, this, &VirtualCollector::send, nullptr, [](bp_http_exchange* handle) {
            const std::unique_ptr<Exchange> exchange(reinterpret_cast<Exchange*>(handle));
            ++exchange->collector->cancelled;
            --exchange->collector->under_way;
            if (exchange->timer == 0) return;
            exchange->collector->loops_.service().cancel(exchange->loop, exchange->timer);
          }} {}

std::uint32_t VirtualCollector::send(void* self, const bp_http_request* request,
                                     const bp_http_handler* handler, void* context,
                                     bp_http_exchange** out, bp_error* /*error*/) {
  auto& collector = *static_cast<VirtualCollector*>(self);
  Request seen;
  seen.method = view(request->method);
  seen.url = view(request->url);
  for (const bp_pair& pair : std::span(request->headers, request->header_count)) {
    seen.headers.emplace(view(pair.name), view(pair.value));
  }
  std::string body;
  for (const bp_str& piece : std::span(request->body, request->body_count)) body += view(piece);
  seen.body = boost::json::parse(body);
  seen.at_ns = collector.loops_.now_ns();
  collector.requests.push_back(std::move(seen));
  auto* exchange = new Exchange{&collector, handler, context, request->loop, {}};
  if (!collector.answers.empty()) {
    exchange->answer = std::move(collector.answers.front());
    collector.answers.pop_front();
  }
  collector.most_under_way = std::max(collector.most_under_way, ++collector.under_way);
  if (exchange->answer.delay_ms != kNever) {
    exchange->timer = collector.loops_.service().post_after(
        request->loop, exchange->answer.delay_ms,
        [](void* argument) { static_cast<Exchange*>(argument)->end(); }, exchange);
  }
  *out = exchange->handle();
  return BP_CODE_OK;
}

std::vector<boost::json::object> VirtualCollector::spans() const {
  std::vector<boost::json::object> spans;
  for (const Request& request : requests) {
    for (const auto& resource : request.body.at("resourceSpans").as_array()) {
      for (const auto& scope : resource.at("scopeSpans").as_array()) {
        for (const auto& span : scope.at("spans").as_array()) spans.push_back(span.as_object());
      }
    }
  }
  return spans;
}

std::string attribute(const boost::json::object& span, std::string_view key) {
  for (const auto& each : span.at("attributes").as_array()) {
    if (each.at("key").as_string() != key) continue;
    const boost::json::value& value = each.at("value").as_object().begin()->value();
    return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
  }
  return "<none>";
}

std::string text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  if (value == nullptr) return "<none>";
  return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

}  // namespace backplane::test
