// SPDX-License-Identifier: Apache-2.0
#include "common/provider.hpp"

#include <algorithm>
#include <span>

#include "common/http_call.hpp"
#include "common/media_type.hpp"

namespace backplane::dialect {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kChat = "chat.completions";
// Images come as text inside a document of a stream.
constexpr std::size_t kTypedEventMaxBytes = std::size_t{32} << 20;

bool is_form(const bp_request& request) {
  return is_media_type(view(request.content_type), "multipart/form-data");
}

bool wants_stream(const bp_request& request) {
  return (request.flags & BP_REQUEST_STREAM) != 0;
}

std::string_view accepted(const Operation& operation, const bp_request& request) {
  if (operation.may_be_bytes || operation.streams == Streams::kWhenAnswered) return "*/*";
  const bool is_stream = operation.streams == Streams::kWhenAsked && wants_stream(request);
  return is_stream ? "text/event-stream" : kJson;
}

AnswerRules rules_of(const Operation& operation, bool hide_usage, ReasoningTags tags) {
  AnswerRules rules;
  rules.streams = operation.streams;
  rules.may_be_bytes = operation.may_be_bytes;
  rules.stream.completion = operation.completion;
  rules.stream.hide_usage = hide_usage;
  if (operation.name == kChat) rules.stream.tags = tags;
  if (operation.completion == Completion::kTypes) {
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
void set_header(std::vector<Header>& headers, Header header) {
  const auto same = [&](const Header& other) { return other.name == header.name; };
  const auto found = std::find_if(headers.begin(), headers.end(), same);
  if (found == headers.end()) {
    headers.push_back(std::move(header));
  } else {
    *found = std::move(header);
  }
}

RequestRules rules_for(const Settings& settings, const Operation& operation) {
  RequestRules rules;
  if (operation.name == kChat) rules.defaults = settings.defaults;
  if (settings.profile == nullptr) return rules;
  for (const FieldRule& rule : settings.profile->fields) {
    if (rule.operation == operation.name) rules.fields.push_back(rule);
  }
  return rules;
}

// Those of a chat, and what makes the last message one that the model has begun.
RequestRules continuing(RequestRules rules, const Profile* profile) {
  if (profile == nullptr) return rules;
  for (const auto& [member, value] : profile->continuation) {
    rules.fields.push_back({member, FieldAction::kRemove});
    rules.added.push_back(json_string(member) + (value ? ":true" : ":false"));
  }
  return rules;
}

bool has_header(const Settings& settings, std::string_view name) {
  return std::any_of(settings.headers.begin(), settings.headers.end(),
                     [&](const Header& header) { return header.name == name; });
}

}  // namespace

Provider::Provider(Settings settings, const Services& services, std::string_view name,
                   std::string agent)
    : settings_(std::move(settings)),
      agent_(std::move(agent)),
      upstream_{
          services,
          settings_.timeouts,
          {},
          Counter(services.host, "backplane_malformed_events_total",
                  "Events of providers' streams that were not JSON", name),
          settings_.profile == nullptr ? std::string_view{} : settings_.profile->passed_headers},
      models_(services, settings_.base_url + "/models",
              std::uint64_t{settings_.models_refresh_seconds} * 1000) {
  for (const Operation& operation : operations()) {
    rules_.push_back(rules_for(settings_, operation));
    if (operation.name == kChat) continuation_ = continuing(rules_.back(), settings_.profile);
  }
}

Status Provider::start() {
  const Profile* profile = settings_.profile;
  if (profile != nullptr && profile->needs_key && settings_.base_url == profile->base_url &&
      settings_.api_key.empty() && !has_header(settings_, "authorization")) {
    return invalid_argument("api_key: " + std::string(profile->name) + " needs one");
  }
  std::vector<std::string> secrets;
  // Without it a server may send any encoding (RFC 9110, 12.5.3).
  headers_ = {{"accept-encoding", "identity"}, {"user-agent", agent_}};
  if (!settings_.api_key.empty()) {
    const Result<std::string> key = read_key();
    if (!key) return key.error();
    secrets.push_back(*key);
    set_header(headers_, {"authorization", "Bearer " + *key});
  }
  for (const Header& header : settings_.headers) {
    const Result<std::string> value = read_header(header);
    if (!value) return value.error();
    secrets.push_back(*value);
    set_header(headers_, {header.name, *value});
  }
  upstream_.scrubber = Scrubber(settings_.base_url, secrets);
  models_.start(headers_);
  return ok();
}

void Provider::stop() {
  models_.stop();
}

Result<std::string> Provider::read_key() {
  Result<std::string> key = read_secret(upstream_.services.host, settings_.api_key);
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
Result<std::string> Provider::read_header(const Header& header) {
  Result<std::string> value = read_secret(upstream_.services.host, header.value);
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

bool Provider::offers(const Operation& operation) const {
  const Profile* profile = settings_.profile;
  return profile == nullptr || profile->operations.empty() ||
         has_word(profile->operations, operation.name);
}

// Behind a colon a provider may take parameters ("model:enable_web_search=on"): they stay.
std::string Provider::name_of(std::string_view model) const {
  std::string_view base = model;
  const std::size_t colon = model.find(':');
  if (colon != std::string_view::npos && model.find('=', colon) != std::string_view::npos) {
    base = model.substr(0, colon);
  }
  std::string_view name;
  if (const auto found = settings_.names.find(base); found != settings_.names.end()) {
    name = found->second;
  } else if (settings_.profile != nullptr) {
    name = known_name(settings_.profile->name, base);
  }
  if (name.empty()) return std::string(model);
  return std::string(name) + std::string(model.substr(base.size()));
}

Result<Call*> Provider::submit(const bp_request& request, const bp_sink& sink) {
  const Operation* operation = find_operation(view(request.operation));
  if (operation == nullptr || !offers(*operation)) return not_served(view(request.operation));
  const bool asks_usage =
      settings_.stream_usage && wants_stream(request) && (request.flags & BP_REQUEST_USAGE) == 0 &&
      operation->completion == Completion::kChoices && operation->streams == Streams::kWhenAsked;
  if (is_form(request) && !operation->takes_form) {
    return invalid_argument("the operation takes JSON, not a form");
  }
  const std::string model = name_of(view(request.model));
  if (const Status clear = settings_.check_clear(model); !clear) return clear.error();
  bp_request named = request;
  named.model = str(model);
  const bool continues = (request.flags & BP_REQUEST_CONTINUE) != 0 && operation->name == kChat;
  const RequestRules& rules =
      continues ? continuation_ : rules_[static_cast<std::size_t>(operation - operations().data())];
  Result<BodySplice> body =
      is_form(request) ? BodySplice::make_form(named) : BodySplice::make(named, asks_usage, rules);
  if (!body) return body.error();
  std::vector<std::string> dropped = body->dropped();
  return send(request, sink, model,
              {settings_.base_url + std::string(operation->path), headers_of(*operation, request),
               std::move(*body), rules_of(*operation, asks_usage, settings_.reasoning_tags),
               std::move(dropped)});
}

Result<Call*> Provider::send(const bp_request& request, const bp_sink& sink,
                             std::string_view /*model*/, Outgoing outgoing) {
  return start_call(upstream_, request, sink, std::move(outgoing));
}

// Built from zero: of what the client sent only the type of a form, which names its boundary, and
// its place in a trace.
std::vector<Header> Provider::headers_of(const Operation& operation,
                                         const bp_request& request) const {
  std::vector<Header> headers = {
      {"content-type", std::string(is_form(request) ? view(request.content_type) : kJson)},
      {"accept", std::string(accepted(operation, request))}};
  for (const Header& header : headers_) set_header(headers, header);
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

// What the provider lists, under its own names and under those that lead to it.
std::string Provider::describe_models() const {
  const std::vector<ListedModel> listed = models_.models();
  std::string out;
  const auto add = [&](const ListedModel& model, std::string_view as) {
    out += (out.empty() ? "" : ",") + model.describe(as);
  };
  const auto describe_as = [&](std::string_view as) {
    const auto is_it = [&](const ListedModel& model) { return model.id == name_of(as); };
    const auto found = std::find_if(listed.begin(), listed.end(), is_it);
    if (found != listed.end()) add(*found, as);
    return found != listed.end();
  };
  for (const std::string& name : settings_.models) {
    if (!describe_as(name)) add({}, name);
  }
  if (!settings_.models.empty()) return out;
  for (const ListedModel& model : listed) {
    if (settings_.check_clear(model.id)) add(model, model.id);
  }
  for (const auto& [name, theirs] : settings_.names) describe_as(name);
  if (settings_.profile == nullptr) return out;
  for (const std::string_view name : known_models(settings_.profile->name)) describe_as(name);
  return out;
}

std::string Provider::describe() {
  std::string out = "{\"models\":[" + describe_models() + "],\"operations\":[";
  for (const Operation& operation : operations()) {
    if (!offers(operation)) continue;
    if (out.back() == '"') out += ',';
    out += json_string(operation.name);
  }
  return out + "]}";
}

}  // namespace backplane::dialect
