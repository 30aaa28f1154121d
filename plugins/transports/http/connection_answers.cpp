// SPDX-License-Identifier: Apache-2.0
// The part of a connection that decides about a request and answers what needs no call.
#include "connection.hpp"
#include "error_envelope.hpp"
#include "models.hpp"
#include "token.hpp"

namespace backplane::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kMaxRequestIdBytes = 128;

bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return content_type.empty() || same_token(kJson, type);
}

using Source = std::uint32_t (*)(void*, bp_buffer*, bp_error*);

Result<BufferRef> ask(const bp_gateway& gateway, Source source) {
  bp_buffer buffer{};
  bp_error error{};
  const std::uint32_t code = source(gateway.context, &buffer, &error);
  if (code == BP_CODE_OK) return BufferRef::adopt(buffer);
  error.code = code;
  return error_of(error);
}

}  // namespace

void Connection::on_request_head() {
  const RequestHead& head = parser_.head();
  choose_request_id();
  const std::string_view path = path_of(head.target);
  route_ = find_route(head.method, path);
  const bool connect = head.method == "CONNECT";
  if (path.empty() && !connect) {
    return refuse(protocol_error(400, "INVALID_REQUEST", "the request target is no path"));
  }
  refusal_ = check(route_);
  if (refusal_ || route_.route->action != Action::kCall) parser_.skip_body();
  const bool waits = head.has_body && head.http_11 && !head.expect.empty();
  if (refusal_) {
    if (waits || connect) refuse(*std::exchange(refusal_, std::nullopt));
  } else if (waits) {
    send(kContinue, {});
  }
}

std::optional<Error> Connection::check(const RouteMatch& match) const {
  const RequestHead& head = parser_.head();
  const bool known_method = head.method != "CONNECT" && head.method != "TRACE";
  if (match.route == nullptr && known_method && head.target != "*") {
    return protocol_error(404, "NOT_FOUND", "no such path; the API is under /v1");
  }
  if (!match.method_allowed) {
    return protocol_error(405, "METHOD_NOT_ALLOWED",
                          "this path does not take this method; see the header Allow");
  }
  if (match.route->action == Action::kCall && !is_json(head.content_type)) {
    return protocol_error(415, "UNSUPPORTED_MEDIA_TYPE", "send the body as application/json");
  }
  if (!head.expect.empty() && !same_token("100-continue", head.expect)) {
    return protocol_error(417, "EXPECTATION_FAILED", "the only expectation is 100-continue");
  }
  return std::nullopt;
}

void Connection::choose_request_id() {
  const std::string_view given = parser_.head().request_id;
  if (is_request_id(given)) {
    request_id_ = given;
    return;
  }
  const bp_clock& clock = *server_.services().clock;
  unsigned char bytes[16];
  clock.random(clock.context, bytes, sizeof(bytes));
  request_id_.clear();
  for (const unsigned char byte : bytes) {
    request_id_ += "0123456789abcdef"[byte >> 4];
    request_id_ += "0123456789abcdef"[byte & 15];
  }
}

void Connection::on_request() {
  const std::optional<Error> refusal = std::exchange(refusal_, std::nullopt);
  if (refusal) return respond_error(*refusal);
  answer(route_);
}

void Connection::answer(const RouteMatch& match) {
  const bp_gateway& gateway = *server_.services().gateway;
  switch (match.route->action) {
    case Action::kHealth:
      return respond(200, kJson, R"({"status":"ok"})");
    case Action::kReady:
      if (!server_.draining() && gateway.ready(gateway.context) != 0) {
        return respond(200, kJson, R"({"status":"ready"})");
      }
      return respond(503, kJson, R"({"status":"not ready"})");
    case Action::kMetrics:
      return answer_metrics();
    case Action::kModels:
      return answer_models();
    case Action::kModel:
      return answer_model(match.rest);
    case Action::kCall:
      return begin_call(match.route->operation);
  }
}

void Connection::answer_metrics() {
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> metrics = ask(gateway, gateway.metrics);
  if (!metrics) return respond_error(metrics.error());
  respond(200, kMetricsType, metrics->text());
}

void Connection::answer_models() {
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> models = ask(gateway, gateway.models);
  if (!models) return respond_error(models.error());
  respond(200, kJson, model_list(models->text()));
}

void Connection::answer_model(std::string_view encoded_id) {
  std::string id;
  if (!percent_decode(encoded_id, id)) {
    return respond_error(protocol_error(400, "INVALID_REQUEST", "the path has a broken %-escape"));
  }
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> models = ask(gateway, gateway.models);
  if (!models) return respond_error(models.error());
  const Result<std::string> model = find_model(models->text(), id);
  if (!model) return respond_error(model.error());
  respond(200, kJson, *model);
}

void Connection::respond(std::uint32_t status, std::string_view content_type, std::string_view body,
                         std::string_view extra) {
  if (!keep_alive()) closes_after_ = true;
  ResponseHead head;
  head.status = status;
  head.date = date_line();
  head.request_id = request_id_;
  head.content_type = content_type;
  head.extra = extra;
  head.length = body.size();
  head.keep_alive = !closes_after_;
  head_.clear();
  append_head(head_, head);
  send(head_, parser_.head().method == "HEAD" ? std::string_view() : body);
  served_ = true;
  if (closes_after_) return close();
  next_request();
}

void Connection::respond_error(const Error& error) {
  const std::uint32_t status = classify(error).status;
  std::string lines;
  append_error_headers(lines, error);
  if (status == 405) {
    lines += "allow: ";
    lines += route_.route == nullptr ? "GET, HEAD, POST" : route_.route->allow;
    lines += "\r\n";
  }
  std::string body;
  append_envelope(body, error);
  respond(status, kJson, body, lines);
}

}  // namespace backplane::http
