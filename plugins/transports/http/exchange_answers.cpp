// SPDX-License-Identifier: Apache-2.0
// The part of an exchange that answers what needs no call.
#include "error_envelope.hpp"
#include "exchange.hpp"
#include "models.hpp"

namespace backplane::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kAnyMethod = "GET, HEAD, POST, OPTIONS";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

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

void Exchange::answer(BufferRef body) {
  if (head_->method == "OPTIONS") return answer_options();
  const bp_gateway& gateway = *server_.services().gateway;
  switch (route_.route->action) {
    case Action::kHealth:
      return respond(200, kJson, R"({"status":"ok"})");
    case Action::kReady:
      if (gateway.ready(gateway.context) != 0) {
        return respond(200, kJson, R"({"status":"ready"})");
      }
      return respond(503, kJson, R"({"status":"not ready"})");
    case Action::kMetrics:
      return answer_metrics();
    case Action::kModels:
      return answer_models();
    case Action::kModel:
      return answer_model(route_.rest);
    case Action::kReceipt:
      return answer_receipt(route_.rest);
    case Action::kCall:
      return begin_call(std::move(body));
  }
}

void Exchange::answer_options() {
  const std::string_view allow = route_.route == nullptr ? kAnyMethod : route_.route->allow;
  std::string lines = "allow: ";
  lines += allow;
  lines += "\r\n";
  append_preflight(lines, server_.settings().cors, *head_, allow);
  respond(204, {}, {}, lines);
}

void Exchange::answer_metrics() {
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> metrics = ask(gateway, gateway.metrics);
  if (!metrics) return respond_error(metrics.error());
  respond(200, kMetricsType, metrics->text());
}

void Exchange::answer_models() {
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> models = ask(gateway, gateway.models);
  if (!models) return respond_error(models.error());
  respond(200, kJson, model_list(models->text()));
}

void Exchange::answer_model(std::string_view encoded_id) {
  std::string id;
  if (!percent_decode(encoded_id, id)) {
    return respond_error(bad_request("the path has a broken %-escape"));
  }
  const bp_gateway& gateway = *server_.services().gateway;
  const Result<BufferRef> models = ask(gateway, gateway.models);
  if (!models) return respond_error(models.error());
  const Result<std::string> model = find_model(models->text(), id);
  if (!model) return respond_error(model.error());
  respond(200, kJson, *model);
}

void Exchange::answer_receipt(std::string_view request_id) {
  const bp_gateway& gateway = *server_.services().gateway;
  const std::vector<bp_pair>& metadata = head_->metadata;
  bp_buffer buffer{};
  bp_error error{};
  const std::uint32_t code = gateway.receipt(gateway.context, str(request_id), metadata.data(),
                                             metadata.size(), &buffer, &error);
  if (code != BP_CODE_OK) {
    error.code = code;
    return respond_error(error_of(error));
  }
  const BufferRef receipt = BufferRef::adopt(buffer);
  respond(200, kJson, receipt.text(), "cache-control: no-store\r\n");
}

void Exchange::respond(std::uint32_t status, std::string_view content_type, std::string_view body,
                       std::string_view extra) {
  ResponseHead head;
  head.status = status;
  head.date = date_line();
  head.request_id = request_id_;
  head.content_type = content_type;
  lines_ += extra;
  head.extra = lines_;
  if (status != 204) head.length = body.size();
  const bool head_only = head_ != nullptr && head_->method == "HEAD";
  send_whole(head, body, head_only);
  framing_->on_complete();
}

void Exchange::respond_error(const Error& error) {
  const std::uint32_t status = classify(error).status;
  std::string lines;
  append_error_headers(lines, error);
  if (status == 405) {
    lines += "allow: ";
    lines += route_.route == nullptr ? kAnyMethod : route_.route->allow;
    lines += "\r\n";
  }
  std::string body;
  append_envelope(body, error);
  respond(status, kJson, body, lines);
}

}  // namespace backplane::http
