// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <backplane/plugin.hpp>
#include <span>

#include "common/http_call.hpp"
#include "common/media_type.hpp"
#include "operations.hpp"
#include "settings.hpp"

namespace backplane::openai {
namespace {

using dialect::is_header_value;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

constexpr std::string_view kJson = "application/json";
// Images come as text inside a document of a stream.
constexpr std::size_t kTypedEventMaxBytes = std::size_t{32} << 20;

bool is_form(const bp_request& request) {
  return dialect::is_media_type(view(request.content_type), "multipart/form-data");
}

bool wants_stream(const bp_request& request) {
  return (request.flags & BP_REQUEST_STREAM) != 0;
}

std::string_view accepted(const Operation& operation, const bp_request& request) {
  if (operation.may_be_bytes || operation.streams == dialect::Streams::kWhenAnswered) return "*/*";
  const bool is_stream = operation.streams == dialect::Streams::kWhenAsked && wants_stream(request);
  return is_stream ? "text/event-stream" : kJson;
}

dialect::AnswerRules rules_of(const Operation& operation, bool hide_usage) {
  dialect::AnswerRules rules;
  rules.streams = operation.streams;
  rules.may_be_bytes = operation.may_be_bytes;
  rules.stream.completion = operation.completion;
  rules.stream.hide_usage = hide_usage;
  if (operation.completion == dialect::Completion::kTypes) {
    rules.stream.event_max_bytes = kTypedEventMaxBytes;
  }
  return rules;
}

Error not_served(std::string_view name) {
  return {Code::kUnimplemented,
          "this backend does not serve the operation \"" + std::string(name) + '"',
          {},
          0,
          0};
}

// What an extra header does with one that is there already: it takes its place.
void set_header(std::vector<dialect::Header>& headers, dialect::Header header) {
  const auto same = [&](const dialect::Header& other) { return other.name == header.name; };
  const auto found = std::find_if(headers.begin(), headers.end(), same);
  if (found == headers.end()) {
    headers.push_back(std::move(header));
  } else {
    *found = std::move(header);
  }
}

class OpenAi final : public Backend {
 public:
  static Result<std::unique_ptr<OpenAi>> create(Host host, const InstanceOptions& options) {
    Result<Settings> settings = read_settings(options.settings);
    if (!settings) return settings.error();
    Result<dialect::Services> services = dialect::find_services(host);
    if (!services) return services.error();
    return std::make_unique<OpenAi>(std::move(*settings), *services, options.name);
  }

  OpenAi(Settings settings, const dialect::Services& services, std::string_view name)
      : settings_(std::move(settings)),
        upstream_{services,
                  settings_.timeouts,
                  {},
                  dialect::Counter(services.host, "backplane_malformed_events_total",
                                   "Events of providers' streams that were not JSON", name)} {}

  Status start() override;
  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override;
  std::string describe() override;

 private:
  Result<std::string> read_key();
  Result<std::string> read_header(const dialect::Header& header);
  std::vector<dialect::Header> headers_of(const Operation& operation,
                                          const bp_request& request) const;

  Settings settings_;
  dialect::Upstream upstream_;
  std::vector<dialect::Header> headers_;  // of every request; made by start
};

Status OpenAi::start() {
  std::vector<std::string> secrets;
  // Without it a server may send any encoding (RFC 9110, 12.5.3).
  headers_ = {{"accept-encoding", "identity"}, {"user-agent", "backplane/" BP_PLUGIN_VERSION}};
  if (!settings_.api_key.empty()) {
    const Result<std::string> key = read_key();
    if (!key) return key.error();
    secrets.push_back(*key);
    set_header(headers_, {"authorization", "Bearer " + *key});
  }
  for (const dialect::Header& header : settings_.headers) {
    const Result<std::string> value = read_header(header);
    if (!value) return value.error();
    secrets.push_back(*value);
    set_header(headers_, {header.name, *value});
  }
  upstream_.scrubber = dialect::Scrubber(settings_.base_url, secrets);
  return ok();
}

Result<std::string> OpenAi::read_key() {
  Result<std::string> key = dialect::read_secret(upstream_.services.host, settings_.api_key);
  if (!key) {
    Error error = key.error();
    error.message = "api_key: " + error.message;
    return error;
  }
  if (key->empty() || !is_header_value(*key)) {
    return invalid_argument("api_key: expected a key of visible ASCII characters");
  }
  return key;
}

// A value that is no reference stands for itself.
Result<std::string> OpenAi::read_header(const dialect::Header& header) {
  Result<std::string> value = dialect::read_secret(upstream_.services.host, header.value);
  if (!value && value.error().code == Code::kNotFound) value = header.value;
  if (!value) {
    Error error = value.error();
    error.message = "headers." + header.name + ": " + error.message;
    return error;
  }
  if (!is_header_value(*value)) {
    return invalid_argument("headers." + header.name + ": expected visible ASCII characters");
  }
  return value;
}

Result<Call*> OpenAi::submit(const bp_request& request, const bp_sink& sink) {
  const Operation* operation = find_operation(view(request.operation));
  if (operation == nullptr) return not_served(view(request.operation));
  const bool asks_usage = settings_.stream_usage && wants_stream(request) &&
                          (request.flags & BP_REQUEST_USAGE) == 0 &&
                          operation->completion == dialect::Completion::kChoices &&
                          operation->streams == dialect::Streams::kWhenAsked;
  if (is_form(request) && !operation->takes_form) {
    return invalid_argument("the operation takes JSON, not a form");
  }
  Result<dialect::BodySplice> body = is_form(request)
                                         ? dialect::BodySplice::make_form(request)
                                         : dialect::BodySplice::make(request, asks_usage);
  if (!body) return body.error();
  return dialect::start_call(
      upstream_, request, sink,
      {settings_.base_url + std::string(operation->path), headers_of(*operation, request),
       std::move(*body), rules_of(*operation, asks_usage)});
}

// Built from zero: of what the client sent only the type of a form, which names its boundary, and
// its place in a trace.
std::vector<dialect::Header> OpenAi::headers_of(const Operation& operation,
                                                const bp_request& request) const {
  std::vector<dialect::Header> headers = {
      {"content-type", std::string(is_form(request) ? view(request.content_type) : kJson)},
      {"accept", std::string(accepted(operation, request))}};
  for (const dialect::Header& header : headers_) set_header(headers, header);
  if (request.id.size != 0 && is_header_value(view(request.id))) {
    headers.push_back({"x-request-id", std::string(view(request.id))});
  }
  for (const bp_pair& pair : std::span(request.metadata, request.metadata_count)) {
    const std::string_view name = view(pair.name);
    const bool is_trace = name == "traceparent" || name == "tracestate";
    if (is_trace && is_header_value(view(pair.value))) {
      headers.push_back({std::string(name), std::string(view(pair.value))});
    }
  }
  return headers;
}

std::string OpenAi::describe() {
  std::string out = "{\"models\":[";
  for (const std::string& model : settings_.models) {
    if (out.back() == '}') out += ',';
    out += "{\"id\":" + dialect::json_string(model) + '}';
  }
  out += "],\"operations\":[";
  for (const Operation& operation : operations()) {
    if (out.back() == '"') out += ',';
    out += dialect::json_string(operation.name);
  }
  return out + "]}";
}

}  // namespace

BP_EXPORT_BACKEND(OpenAi, kSchema);

}  // namespace backplane::openai
