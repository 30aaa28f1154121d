// SPDX-License-Identifier: Apache-2.0
#include "fake_host.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace backplane::test {
namespace {

FakeHost& host_of(void* context) {
  return *static_cast<FakeHost*>(context);
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fake host: %s\n", what);
  std::abort();
}

}  // namespace

std::uint32_t FakeCall::emit(bp_event event) {
  require(released == 0, "an event after release");
  event.struct_size = sizeof(bp_event);
  event.sequence = sequence++;
  return sink.emit(sink.context, &event);
}
std::uint32_t FakeCall::read_all(std::string& to) {
  for (;;) {
    bp_str bytes{};
    const std::uint32_t answer = rest->read(
        rest->context, &bytes, [](void* self) { ++static_cast<FakeCall*>(self)->woken; }, this);
    if (answer != BP_READ_BYTES) return answer;
    to += view(bytes);
  }
}
std::uint32_t FakeCall::head(std::uint32_t flags, const std::vector<bp_pair>& headers) {
  bp_event event{};
  event.type = BP_EVENT_HEAD;
  event.flags = flags;
  event.data = str("m");
  event.detail = str(id);
  event.headers = headers.data();
  event.header_count = headers.size();
  return emit(event);
}
std::uint32_t FakeCall::text(std::string_view utf8, std::uint32_t index,
                             std::string_view logprobs) {
  bp_event event{};
  event.type = BP_EVENT_TEXT;
  event.index = index;
  event.data = str(utf8);
  event.logprobs = str(logprobs);
  return emit(event);
}
std::uint32_t FakeCall::reasoning(std::string_view utf8, std::uint32_t index) {
  bp_event event{};
  event.type = BP_EVENT_REASONING;
  event.index = index;
  event.data = str(utf8);
  return emit(event);
}
std::uint32_t FakeCall::tool_call(std::uint32_t number, std::string_view call_id,
                                  std::string_view name, std::string_view arguments,
                                  std::uint32_t index) {
  const bp_tool_call piece{sizeof(bp_tool_call), number, str(call_id), str(name)};
  bp_event event{};
  event.type = BP_EVENT_TOOL_CALL;
  event.index = index;
  event.data = str(arguments);
  event.tool_call = &piece;
  return emit(event);
}
std::uint32_t FakeCall::finish(std::string_view reason, std::uint32_t index) {
  bp_event event{};
  event.type = BP_EVENT_FINISH;
  event.index = index;
  event.data = str(reason);
  return emit(event);
}
std::uint32_t FakeCall::chunk(std::string_view document, std::string_view name) {
  bp_event event{};
  event.type = BP_EVENT_CHUNK;
  event.data = str(document);
  event.detail = str(name);
  return emit(event);
}
std::uint32_t FakeCall::body_bytes(std::string_view bytes, std::string_view type) {
  const std::string copy(bytes);  // borrowed for the call only: a sanitizer sees a late reader
  bp_event event{};
  event.type = BP_EVENT_BODY;
  event.data = str(copy);
  event.detail = str(type);
  return emit(event);
}
std::uint32_t FakeCall::usage(std::uint64_t prompt, std::uint64_t completion) {
  bp_usage counts{};
  counts.struct_size = sizeof(bp_usage);
  counts.prompt_tokens = prompt;
  counts.completion_tokens = completion;
  bp_event event{};
  event.type = BP_EVENT_USAGE;
  event.usage = &counts;
  return emit(event);
}
std::uint32_t FakeCall::end(std::string_view closing) {
  bp_event event{};
  event.type = BP_EVENT_END;
  event.data = str(closing);
  return emit(event);
}
std::uint32_t FakeCall::error(const Error& failure, std::string_view ready_body,
                              std::string_view type) {
  bp_error out{};
  report(failure, &out);
  bp_event event{};
  event.type = BP_EVENT_ERROR;
  event.error = &out;
  event.data = str(ready_body);
  event.detail = str(type);
  return emit(event);
}

FakeHost::FakeHost() {
  fill_net();
  fill_gateway();
  loop_.struct_size = sizeof(loop_);
  loop_.count = 1;
  loop_.context = this;
  loop_.at = [](void* context, std::uint32_t) { return static_cast<bp_loop*>(context); };
  loop_.post = [](bp_loop* loop, bp_task task, void* argument) {
    host_of(loop).posted_.emplace_back(task, argument);
  };
  clock_ = {sizeof(clock_),
            0,
            this,
            [](void* context) { return host_of(context).monotonic_ns; },
            [](void* context) { return host_of(context).unix_ns; },
            [](void* context, void* target, std::uint64_t size) {
              std::memset(target, host_of(context).entropy, size);
            }};
  host_ = {sizeof(host_),
           BP_ABI_MAJOR,
           BP_ABI_MINOR,
           0,
           str("test"),
           this,
           [](const bp_host* self, bp_str id) -> const void* {
             FakeHost& host = host_of(self->context);
             if (view(id) == BP_NET_ID) return &host.net_;
             if (view(id) == BP_LOOP_ID) return &host.loop_;
             if (view(id) == BP_GATEWAY_ID) return &host.gateway_;
             if (view(id) == BP_CLOCK_ID) return &host.clock_;
             return nullptr;
           }};
}

FakeHost::~FakeHost() {
  for (bp_connection& connection : connections_) connection.leave();
  run_posted();
  if (instance_ != nullptr) {
    transport_->stop(instance_);
    transport_->destroy(instance_);
  }
  for (const FakeCall& call : calls) require(call.released == 1, "a call released not once");
}

void FakeHost::fill_net() {
  net_.struct_size = sizeof(net_);
  net_.context = this;
  net_.listen = [](void* context, const bp_listen_options* options,
                   const bp_listen_handler* handler, bp_listener** out,
                   bp_error*) -> std::uint32_t {
    host_of(context).listener_ = *handler;
    host_of(context).listening = true;
    host_of(context).listened = *options;
    host_of(context).alpn = view(options->alpn);
    *out = static_cast<bp_listener*>(context);
    return BP_CODE_OK;
  };
  net_.port = [](bp_listener*) -> std::uint32_t { return 4711; };
  net_.close_listener = [](bp_listener* listener) { host_of(listener).listening = false; };
  net_.loop = [](bp_connection* to) {
    void* loop = to->host;
    return static_cast<bp_loop*>(loop);
  };
  net_.set_handler = [](bp_connection* to, const bp_connection_handler* handler, void* context) {
    to->handler = *handler;
    to->context = context;
  };
  net_.write = [](bp_connection* to, const bp_str* pieces, std::uint64_t count) -> std::uint32_t {
    require(!to->gone, "a write after closed");
    if (to->closed || to->aborted) return BP_FLOW_STOP;
    std::string bytes;
    for (std::uint64_t i = 0; i < count; ++i) bytes += view(pieces[i]);
    to->output += bytes;
    to->writes.push_back(std::move(bytes));
    return to->answer;
  };
  net_.pause = [](bp_connection* to) { to->paused = true; };
  net_.resume = [](bp_connection* to) { to->paused = false; };
  net_.set_timeout = [](bp_connection* to, std::uint64_t ms) { to->timeout_ms = ms; };
  net_.close = [](bp_connection* to) { to->closed = true; };
  net_.abort = [](bp_connection* to) { to->aborted = true; };
  net_.peer = [](bp_connection*) { return str("192.0.2.1:5555"); };
}

void FakeHost::fill_gateway() {
  gateway_ = {sizeof(gateway_),
              0,
              this,
              [](void* context, const bp_request* request, const bp_sink* sink, bp_call** out,
                 bp_error* error) { return host_of(context).begin(*request, *sink, out, error); },
              [](void* context, bp_buffer* out, bp_error*) -> std::uint32_t {
                *out = make_buffer(host_of(context).models);
                return BP_CODE_OK;
              },
              [](void* context) -> std::uint32_t { return host_of(context).ready ? 1 : 0; },
              [](void*, bp_buffer* out, bp_error*) -> std::uint32_t {
                *out = make_buffer("up 1\n");
                return BP_CODE_OK;
              },
              [](void*, bp_str id, const bp_pair* metadata, std::uint64_t count, bp_buffer* out,
                 bp_error* error) -> std::uint32_t {
                for (std::uint64_t i = 0; i < count; ++i) {
                  const bool is_owner = view(metadata[i].name) == "authorization" &&
                                        view(metadata[i].value) == "Bearer key";
                  if (!is_owner || view(id) != "abc-1") continue;
                  *out = make_buffer(R"({"verdict":"accepted"})");
                  return BP_CODE_OK;
                }
                return report({Code::kNotFound, "no receipt", "RECEIPT_NOT_FOUND", 404, 0}, error);
              }};
}

std::uint32_t FakeHost::begin(const bp_request& request, const bp_sink& sink, bp_call** out,
                              bp_error* error) {
  if (begin_error.code != Code::kOk) return report(begin_error, error);
  FakeCall& call = calls.emplace_back();
  call.struct_size = sizeof(bp_call);
  call.cancel = [](bp_call*) {};
  call.resume = [](bp_call* self) { ++static_cast<FakeCall*>(self)->resumed; };
  call.release = [](bp_call* self) { ++static_cast<FakeCall*>(self)->released; };
  call.sink = sink;
  call.id = view(request.id);
  call.operation = view(request.operation);
  call.content_type = view(request.content_type);
  call.body = view(request.body);
  call.rest = request.body_stream;
  call.padding = request.body.padding;
  for (std::uint32_t i = 0; i < request.body.padding; ++i) {
    require(request.body.data[request.body.size + i] == 0, "the padding is not zero");
  }
  for (std::uint64_t i = 0; i < request.metadata_count; ++i) {
    call.metadata.emplace(view(request.metadata[i].name), view(request.metadata[i].value));
  }
  *out = &call;
  return BP_CODE_OK;
}

void FakeHost::start(std::string_view settings) {
  library_ = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
  require(library_ != nullptr, "the plugin does not load");
  void* symbol = dlsym(library_, BP_ENTRY_SYMBOL);
  const auto entry = reinterpret_cast<bp_plugin_entry>(symbol);
  const bp_plugin* plugin = nullptr;
  require(entry(&host_, &plugin, nullptr) == BP_CODE_OK, "the plugin does not answer");
  transport_ = static_cast<const bp_transport*>(plugin->get_interface(str(BP_TRANSPORT_ID)));
  const bp_instance_options options{sizeof(options), 0, str("front"), str(settings)};
  bp_error error{};
  require(transport_->create(&host_, &options, &instance_, &error) == BP_CODE_OK, error.message);
  require(transport_->start(instance_, &error) == BP_CODE_OK, error.message);
}

void FakeHost::drain() {
  transport_->drain(instance_, 0);
  run_posted();
}

bp_connection& FakeHost::connect() {
  bp_connection& connection = connections_.emplace_back();
  connection.host = this;
  listener_.accepted(listener_.context, &connection);
  return connection;
}

void FakeHost::run_posted() {
  for (const auto& [task, argument] : std::exchange(posted_, {})) task(argument);
}

std::string FakeHost::describe() {
  bp_buffer out{};
  require(transport_->describe(instance_, &out, nullptr) == BP_CODE_OK, "describe");
  return std::string(BufferRef::adopt(out).text());
}

}  // namespace backplane::test

void bp_connection::data(std::string_view bytes) {
  if (gone || closed || aborted) return;
  const std::string copy(bytes);
  handler.data(context, backplane::str(copy));
}
void bp_connection::end() {
  if (!gone && !closed && !aborted) handler.end(context);
}
void bp_connection::drained() {
  answer = BP_FLOW_CONTINUE;
  if (!gone) handler.drained(context);
}
void bp_connection::time_out() {
  if (!gone) handler.timeout(context);
}
void bp_connection::leave() {
  if (!gone && handler.closed != nullptr) handler.closed(context);
  gone = true;
}
