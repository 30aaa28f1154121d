// SPDX-License-Identifier: Apache-2.0
// The C++17 SDK: write a class, name it in one macro, and the tables of the C ABI are filled for
// you.
//
//   class Echo final : public backplane::Backend { ... };
//   BP_EXPORT_BACKEND(Echo, kSchema)
//
// Trampolines are noexcept: an exception of the class becomes an error of code INTERNAL. The SDK
// adds no thread and no state of its own; thread rules are those of the C headers.
#pragma once

#include <backplane/abi.h>
#include <backplane/backend.h>
#include <backplane/log.h>
#include <backplane/payment.h>
#include <backplane/transport.h>
#include <backplane/result.hpp>

#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace backplane {

inline std::string_view view(bp_str text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}
inline bp_str str(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view view(const bp_buffer& buffer) {
  return buffer.size == 0 ? std::string_view{} : std::string_view{buffer.data, buffer.size};
}

// Fills `error` (may be null) and returns the code to hand back.
inline std::uint32_t report(const Error& from, bp_error* error) noexcept {
  if (error != nullptr) {
    *error = bp_error{};
    error->code = static_cast<std::uint32_t>(from.code);
    error->http_status = from.http_status;
    error->retry_after_ms = from.retry_after_ms;
    from.type.copy(error->type, sizeof(error->type) - 1);
    from.message.copy(error->message, sizeof(error->message) - 1);
  }
  return static_cast<std::uint32_t>(from.code);
}

inline Error error_of(const bp_error& from) {
  return {static_cast<Code>(from.code), from.message, from.type, from.http_status,
          from.retry_after_ms};
}

// A counted buffer over a string of its own, with zeroed padding behind it.
inline bp_buffer make_buffer(std::string text) {
  constexpr std::uint32_t kPadding = 64;
  struct Owner {
    std::string text;
    std::atomic<std::uint32_t> count{1};
  };
  auto* owner = new Owner{std::move(text), {1}};
  const std::size_t size = owner->text.size();
  owner->text.append(kPadding, '\0');
  return {owner->text.data(),
          size,
          BP_MEMORY_HOST,
          kPadding,
          owner,
          [](void* self) { static_cast<Owner*>(self)->count.fetch_add(1); },
          [](void* self) {
            auto* held = static_cast<Owner*>(self);
            if (held->count.fetch_sub(1) == 1) delete held;
          }};
}

// Holds one count of a buffer.
class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(const bp_buffer& borrowed) : buffer_(borrowed) {
    if (buffer_.retain != nullptr) buffer_.retain(buffer_.owner);
  }
  static BufferRef adopt(const bp_buffer& owned) {
    BufferRef ref;
    ref.buffer_ = owned;
    return ref;
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, bp_buffer{})) {}
  BufferRef& operator=(BufferRef&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  BufferRef(const BufferRef&) = delete;
  BufferRef& operator=(const BufferRef&) = delete;
  ~BufferRef() {
    if (buffer_.release != nullptr) buffer_.release(buffer_.owner);
  }
  const bp_buffer& get() const { return buffer_; }
  std::string_view text() const { return view(buffer_); }

 private:
  bp_buffer buffer_{};
};

// The host's side, borrowed for the life of the instance.
class Host {
 public:
  explicit Host(const bp_host* host) : host_(host) {}

  // The table of an interface, or null where this host does not offer it.
  template <class Table>
  const Table* find(std::string_view id) const {
    return static_cast<const Table*>(host_->get_interface(host_, str(id)));
  }

  void log(std::uint32_t level, std::string_view message, std::string_view request_id = {}) const {
    const auto* table = find<bp_log>(BP_LOG_ID);
    if (BP_HAS(table, write)) {
      table->write(table->context, level, str(request_id), str(message), nullptr, 0);
    }
  }

 private:
  const bp_host* host_;
};

struct InstanceOptions {
  std::string_view name;
  std::string_view settings;  // JSON, valid by the schema, defaults filled in
};

// Rate limits of which nothing is known yet.
inline bp_rate_limit unknown_rate_limit() {
  constexpr std::uint64_t kUnknown = BP_RATE_UNKNOWN;
  return {sizeof(bp_rate_limit), 0, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
}

// Writes the events of one call, numbers them, and lets nothing follow the terminal one.
class EventWriter {
 public:
  explicit EventWriter(const bp_sink& sink) : sink_(&sink) {}

  // Before everything else: headers for the client, and what is known of rate limits.
  std::uint32_t head(const bp_pair* headers, std::uint64_t header_count,
                     const bp_rate_limit* rate_limit = nullptr) {
    bp_event event = make(BP_EVENT_HEAD, 0);
    event.headers = headers;
    event.header_count = header_count;
    event.rate_limit = rate_limit;
    return emit(event);
  }
  // `logprobs` as bp_event says.
  std::uint32_t text(std::string_view utf8, std::uint32_t index = 0,
                     std::string_view logprobs = {}) {
    bp_event event = make(BP_EVENT_TEXT, index);
    event.data = str(utf8);
    event.logprobs = str(logprobs);
    return emit(event);
  }
  std::uint32_t reasoning(std::string_view utf8, std::uint32_t index = 0) {
    bp_event event = make(BP_EVENT_REASONING, index);
    event.data = str(utf8);
    return emit(event);
  }
  // `call` names itself in its first piece alone.
  std::uint32_t tool_call(const bp_tool_call& call, std::string_view arguments,
                          std::uint32_t index = 0) {
    bp_event event = make(BP_EVENT_TOOL_CALL, index);
    event.tool_call = &call;
    event.data = str(arguments);
    return emit(event);
  }
  std::uint32_t finish(std::string_view reason, std::uint32_t index = 0) {
    bp_event event = make(BP_EVENT_FINISH, index);
    event.data = str(reason);
    return emit(event);
  }
  std::uint32_t chunk(std::string_view document, std::string_view event_name = {}) {
    bp_event event = make(BP_EVENT_CHUNK, 0);
    event.data = str(document);
    event.detail = str(event_name);
    return emit(event);
  }
  std::uint32_t body(std::string_view bytes, std::string_view media_type) {
    bp_event event = make(BP_EVENT_BODY, 0);
    event.data = str(bytes);
    event.detail = str(media_type);
    return emit(event);
  }
  // What was verified of the call, a JSON document: at most once.
  std::uint32_t receipt(std::string_view document) {
    bp_event event = make(BP_EVENT_RECEIPT, 0);
    event.data = str(document);
    return emit(event);
  }
  std::uint32_t usage(std::uint64_t prompt_tokens, std::uint64_t completion_tokens) {
    bp_usage usage{};
    usage.struct_size = sizeof(bp_usage);
    usage.prompt_tokens = prompt_tokens;
    usage.completion_tokens = completion_tokens;
    return this->usage(usage);
  }
  std::uint32_t usage(const bp_usage& usage) {
    bp_event event = make(BP_EVENT_USAGE, 0);
    event.usage = &usage;
    return emit(event);
  }
  void end(std::string_view closing_document = {}) {
    ended_ = true;
    bp_event event = make(BP_EVENT_END, 0);
    event.data = str(closing_document);
    emit_terminal(event);
  }
  void error(const Error& error, const bp_rate_limit* rate_limit = nullptr) {
    bp_error out;
    report(error, &out);
    bp_event event = make(BP_EVENT_ERROR, 0);
    event.error = &out;
    event.rate_limit = rate_limit;
    ended_ = true;
    emit_terminal(event);
  }
  bool ended() const { return ended_; }

 private:
  bp_event make(std::uint32_t type, std::uint32_t index) {
    bp_event event{};
    event.struct_size = sizeof(bp_event);
    event.type = type;
    event.sequence = sequence_++;
    event.index = index;
    return event;
  }
  std::uint32_t emit(const bp_event& event) {
    assert(!ended_);
    return sink_->emit(sink_->context, &event);
  }
  void emit_terminal(const bp_event& event) { sink_->emit(sink_->context, &event); }

  const bp_sink* sink_;
  std::uint64_t sequence_ = 0;
  bool ended_ = false;
};

// A running call. The host releases it after its terminal event, which deletes it.
class Call : public bp_call {
 public:
  Call() : bp_call{sizeof(bp_call), 0, &cancel_call, &resume_call, &release_call} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  virtual void on_cancel() noexcept = 0;  // [loop] see bp_call.cancel
  virtual void on_resume() noexcept {}    // [loop] see bp_call.resume
  virtual void on_release() noexcept { delete this; }

 private:
  static void cancel_call(bp_call* self) noexcept { static_cast<Call*>(self)->on_cancel(); }
  static void resume_call(bp_call* self) noexcept { static_cast<Call*>(self)->on_resume(); }
  static void release_call(bp_call* self) noexcept { static_cast<Call*>(self)->on_release(); }
};

// What backends, transports and payments have in common: backplane/backend.h tells the life.
class Instance {
 public:
  virtual ~Instance() = default;
  virtual Status start() { return ok(); }
  virtual void drain(std::int64_t /*deadline_ns*/) {}
  virtual void stop() {}
  virtual std::string describe() = 0;  // JSON
};

class Backend : public Instance {
 public:
  // As bp_backend.submit. The call must outlive its terminal event: hand it over with release().
  virtual Result<Call*> submit(const bp_request& request, const bp_sink& sink) = 0;
};

class Transport : public Instance {};

class Payment : public Instance {
 public:
  virtual Status authorize(const bp_charge& charge, const bp_decision_sink& sink) = 0;
  virtual void settle(const bp_settlement& settlement) = 0;
  virtual void release(std::string_view request_id, std::uint64_t hold) = 0;
};

namespace sdk {

// Runs `body`, which returns a code, and turns whatever it throws into an error.
template <class Body>
std::uint32_t guarded(bp_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& thrown) {
    try {
      return report(internal_error(std::string("unexpected: ") + thrown.what()), error);
    } catch (...) {
      return BP_CODE_INTERNAL;
    }
  } catch (...) {
    return report(Error{}, error);
  }
}

template <class Body>
void guarded_void(Body&& body) noexcept {
  try {
    body();
  } catch (...) {  // nobody to tell: a function that returns nothing cannot fail
  }
}

// `Class` is the author's; it has
//   static Result<std::unique_ptr<Class>> create(Host host, const InstanceOptions& options);
template <class Class>
struct InstanceTable {
  static std::uint32_t create(const bp_host* host, const bp_instance_options* options, void** out,
                              bp_error* error) noexcept {
    return guarded(error, [&]() -> std::uint32_t {
      auto made = Class::create(Host(host), {view(options->name), view(options->settings)});
      if (!made) return report(made.error(), error);
      *out = made->release();
      return BP_CODE_OK;
    });
  }
  static std::uint32_t start(void* self, bp_error* error) noexcept {
    return guarded(error, [&]() -> std::uint32_t {
      const Status status = static_cast<Class*>(self)->start();
      return status ? BP_CODE_OK : report(status.error(), error);
    });
  }
  static void drain(void* self, std::int64_t deadline_ns) noexcept {
    guarded_void([&] { static_cast<Class*>(self)->drain(deadline_ns); });
  }
  static void stop(void* self) noexcept {
    guarded_void([&] { static_cast<Class*>(self)->stop(); });
  }
  static void destroy(void* self) noexcept {
    guarded_void([&] { delete static_cast<Class*>(self); });
  }
  static std::uint32_t describe(void* self, bp_buffer* out, bp_error* error) noexcept {
    return guarded(error, [&]() -> std::uint32_t {
      *out = make_buffer(static_cast<Class*>(self)->describe());
      return BP_CODE_OK;
    });
  }
};

template <class Class>
struct BackendTable : InstanceTable<Class> {
  static std::uint32_t submit(void* self, const bp_request* request, const bp_sink* sink,
                              bp_call** out, bp_error* error) noexcept {
    return guarded(error, [&]() -> std::uint32_t {
      Result<Call*> call = static_cast<Class*>(self)->submit(*request, *sink);
      if (!call) return report(call.error(), error);
      *out = *call;
      return BP_CODE_OK;
    });
  }
  static constexpr bp_backend kTable{sizeof(bp_backend),
                                     0,
                                     &InstanceTable<Class>::create,
                                     &InstanceTable<Class>::start,
                                     &submit,
                                     &InstanceTable<Class>::drain,
                                     &InstanceTable<Class>::stop,
                                     &InstanceTable<Class>::destroy,
                                     &InstanceTable<Class>::describe};
  static constexpr std::string_view kId = BP_BACKEND_ID;
};

template <class Class>
struct TransportTable : InstanceTable<Class> {
  static constexpr bp_transport kTable{
      sizeof(bp_transport),           0,
      &InstanceTable<Class>::create,  &InstanceTable<Class>::start,
      &InstanceTable<Class>::drain,   &InstanceTable<Class>::stop,
      &InstanceTable<Class>::destroy, &InstanceTable<Class>::describe};
  static constexpr std::string_view kId = BP_TRANSPORT_ID;
};

template <class Class>
struct PaymentTable : InstanceTable<Class> {
  static std::uint32_t authorize(void* self, const bp_charge* charge, const bp_decision_sink* sink,
                                 bp_error* error) noexcept {
    return guarded(error, [&]() -> std::uint32_t {
      const Status status = static_cast<Class*>(self)->authorize(*charge, *sink);
      return status ? BP_CODE_OK : report(status.error(), error);
    });
  }
  static void settle(void* self, const bp_settlement* settlement) noexcept {
    guarded_void([&] { static_cast<Class*>(self)->settle(*settlement); });
  }
  static void release(void* self, bp_str request_id, std::uint64_t hold) noexcept {
    guarded_void([&] { static_cast<Class*>(self)->release(view(request_id), hold); });
  }
  static constexpr bp_payment kTable{sizeof(bp_payment),
                                     0,
                                     &InstanceTable<Class>::create,
                                     &InstanceTable<Class>::start,
                                     &authorize,
                                     &settle,
                                     &release,
                                     &InstanceTable<Class>::drain,
                                     &InstanceTable<Class>::stop,
                                     &InstanceTable<Class>::destroy,
                                     &InstanceTable<Class>::describe};
  static constexpr std::string_view kId = BP_PAYMENT_ID;
};

}  // namespace sdk
}  // namespace backplane

// BP_PLUGIN_NAME, BP_PLUGIN_VERSION and BP_PLUGIN_REQUIRED_MINOR come from bp_add_plugin; `schema`
// is a char array.
#ifndef BP_PLUGIN_REQUIRED_MINOR
#define BP_PLUGIN_REQUIRED_MINOR 0
#endif
// What every file exports; `bp_find_interface` is its own.
#define BP_EXPORT_ENTRY(schema)                                                        \
  extern "C" __attribute__((visibility("default"))) std::uint32_t bp_plugin_entry_v0(  \
      const bp_host*, const bp_plugin** out, bp_error*) {                              \
    static const bp_plugin kPlugin{sizeof(bp_plugin),                                  \
                                   BP_ABI_MAJOR,                                       \
                                   BP_ABI_MINOR,                                       \
                                   BP_PLUGIN_REQUIRED_MINOR,                           \
                                   {BP_PLUGIN_NAME, sizeof(BP_PLUGIN_NAME) - 1},       \
                                   {BP_PLUGIN_VERSION, sizeof(BP_PLUGIN_VERSION) - 1}, \
                                   {schema, sizeof(schema) - 1},                       \
                                   &bp_find_interface};                                \
    *out = &kPlugin;                                                                   \
    return BP_CODE_OK;                                                                 \
  }                                                                                    \
  static_assert(true, "")
#define BP_EXPORT_TABLE(Table, schema)                                     \
  static const void* bp_find_interface(bp_str id) {                        \
    return ::backplane::view(id) == Table::kId ? &Table::kTable : nullptr; \
  }                                                                        \
  BP_EXPORT_ENTRY(schema)
#define BP_EXPORT_BACKEND(Class, schema) \
  BP_EXPORT_TABLE(::backplane::sdk::BackendTable<Class>, schema)
#define BP_EXPORT_TRANSPORT(Class, schema) \
  BP_EXPORT_TABLE(::backplane::sdk::TransportTable<Class>, schema)
#define BP_EXPORT_PAYMENT(Class, schema) \
  BP_EXPORT_TABLE(::backplane::sdk::PaymentTable<Class>, schema)
