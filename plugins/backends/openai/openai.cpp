// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <backplane/plugin.hpp>
#include <optional>
#include <span>

#include "common/http_call.hpp"
#include "settings.hpp"

namespace backplane::openai {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

struct Operation {
  std::string_view name;
  std::string_view path;
};

constexpr std::array<Operation, 3> kOperations{{{"chat.completions", "/chat/completions"},
                                                {"completions", "/completions"},
                                                {"embeddings", "/embeddings"}}};

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
    return std::make_unique<OpenAi>(std::move(*settings), *services);
  }

  OpenAi(Settings settings, const dialect::Services& services)
      : settings_(std::move(settings)), upstream_{services, settings_.timeouts, {}} {}

  Status start() override;
  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override;
  std::string describe() override;

 private:
  Result<std::string> read_key();
  Result<std::string> read_header(const dialect::Header& header);
  std::vector<dialect::Header> headers_of(const bp_request& request) const;

  Settings settings_;
  dialect::Upstream upstream_;
  std::vector<dialect::Header> headers_;  // of every request; made by start
};

Status OpenAi::start() {
  std::vector<std::string> secrets;
  headers_ = {{"content-type", "application/json"}, {"user-agent", "backplane/" BP_PLUGIN_VERSION}};
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
  const std::string_view name = view(request.operation);
  const auto operation =
      std::find_if(kOperations.begin(), kOperations.end(),
                   [&](const Operation& candidate) { return candidate.name == name; });
  if (operation == kOperations.end()) {
    return Error{Code::kUnimplemented,
                 "this backend does not serve the operation \"" + std::string(name) + '"',
                 {},
                 0,
                 0};
  }
  const bool is_unasked =
      (request.flags & BP_REQUEST_STREAM) != 0 && (request.flags & BP_REQUEST_USAGE) == 0;
  const bool ask_usage = settings_.stream_usage && is_unasked;
  Result<dialect::BodySplice> body = dialect::BodySplice::make(request, ask_usage);
  if (!body) return body.error();
  return dialect::start_call(upstream_, request, sink,
                             {settings_.base_url + std::string(operation->path),
                              headers_of(request), std::move(*body), ask_usage});
}

std::vector<dialect::Header> OpenAi::headers_of(const bp_request& request) const {
  std::vector<dialect::Header> headers = headers_;
  const bool is_stream = (request.flags & BP_REQUEST_STREAM) != 0;
  headers.push_back({"accept", is_stream ? "text/event-stream" : "application/json"});
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
  for (const Operation& operation : kOperations) {
    if (out.back() == '"') out += ',';
    out += dialect::json_string(operation.name);
  }
  return out + "]}";
}

}  // namespace

BP_EXPORT_BACKEND(OpenAi, kSchema);

}  // namespace backplane::openai
