// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/call.hpp"

#include "runtime/plugin/check/instance.hpp"
#include "runtime/plugin/check/text.hpp"

#include <backplane/plugin.hpp>
#include <cstring>

namespace backplane {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCancelGrace{2000};
constexpr milliseconds kLateEvents{5};
constexpr std::uint64_t kEventBytesMax = 64U << 20U;
constexpr std::uint32_t kPaddingBytes = 64;

std::string type_name(std::uint32_t type) {
  constexpr const char* kNames[] = {"?",   "TEXT",  "FINISH", "CHUNK",     "BODY",      "USAGE",
                                    "END", "ERROR", "HEAD",   "REASONING", "TOOL_CALL", "RECEIPT"};
  return type < std::size(kNames) ? kNames[type] : "type " + std::to_string(type);
}

bool is_terminal(std::uint32_t type) {
  return type == BP_EVENT_END || type == BP_EVENT_ERROR;
}

void retain_body(void* owner) {
  static_cast<std::atomic<int>*>(owner)->fetch_add(1);
}
void release_body(void* owner) {
  static_cast<std::atomic<int>*>(owner)->fetch_sub(1);
}

}  // namespace

CheckCall::CheckCall(Probe& probe, CheckHost& host, CallRequest request, CallScript script)
    : probe_(probe),
      host_(host),
      request_(std::move(request)),
      script_(script),
      sink_{sizeof(bp_sink), kMaxOverrun, this, &emit} {}

bool CheckCall::submit(const bp_backend& backend, void* instance) {
  body_ = request_.body + std::string(kPaddingBytes, '\0');
  const std::string_view media_type = "application/json";
  const std::string_view id = "check-request";
  const std::string quoted = "\"" + request_.model + "\"";
  const std::size_t model_at = request_.body.find(quoted);
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.flags = request_.stream ? BP_REQUEST_STREAM : 0;
  request.id = {id.data(), id.size()};
  request.operation = {request_.operation.data(), request_.operation.size()};
  request.content_type = {media_type.data(), media_type.size()};
  request.body = {body_.data(),      request_.body.size(), BP_MEMORY_HOST, kPaddingBytes,
                  &body_references_, &retain_body,         &release_body};
  request.model = {request_.model.data(), request_.model.size()};
  request.model_offset = model_at == std::string::npos ? 0 : model_at;
  request.model_size = model_at == std::string::npos ? 0 : quoted.size();
  request.loop = host_.loop().handle();
  bp_error error{};
  bp_call* out = nullptr;
  probe_.step("submit");
  const std::uint32_t code = backend.submit(instance, &request, &sink_, &out, &error);
  if (body_references_ == 0) body_.assign(body_.size(), '\xff');  // nobody may read it any more
  if (code == BP_CODE_OK) {
    call_ = out;
    const bool whole = out != nullptr && out->struct_size >= sizeof(bp_call) &&
                       out->cancel != nullptr && out->resume != nullptr && out->release != nullptr;
    if (!whole) probe_.fail("submit returned OK and no whole bp_call; fill every field of it");
    return whole;
  }
  refusal_ = error.message;
  if (const std::string fault = fault_of(code, error); !fault.empty()) {
    probe_.fail("submit " + fault);
  }
  if (events() > 0) probe_.fail("submit failed after it had emitted events; emit none");
  return false;
}

std::uint32_t CheckCall::emit(void* context, const bp_event* event) {
  auto* const self = static_cast<CheckCall*>(context);
  if (event == nullptr) {
    self->fail("emit was called with a null event");
    return BP_FLOW_STOP;
  }
  if (self->emitting_.fetch_add(1) != 0) self->fail("emit was called by two threads at once");
  const std::uint32_t answer = self->take(*event);
  self->emitting_.fetch_sub(1);
  self->host_.loop().wake();
  return answer;
}

std::uint32_t CheckCall::take(const bp_event& event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  check_order(event);
  check_event(event);
  const std::uint64_t index = events_++;
  if (script_done_ && !resumed_) ++since_script_;
  if (script_done_ && !resumed_ && since_script_ > kMaxOverrun) {
    const bool pause = script_.answer == BP_FLOW_PAUSE;
    fail("more than " + std::to_string(kMaxOverrun) + " events came after " +
         (pause ? "PAUSE" : "STOP") + " (max_overrun); " +
         (pause ? "wait for resume" : "end the call"));
  }
  if (index == script_.event) script_done_ = true;
  return index >= script_.event && !resumed_ ? script_.answer : BP_FLOW_CONTINUE;
}

void CheckCall::check_order(const bp_event& event) {
  if (terminal_type_ != 0) {
    if (is_terminal(event.type)) {
      return fail("a second terminal event (" + type_name(event.type) + ") came after " +
                  type_name(terminal_type_) + "; a call ends once");
    }
    return fail("event " + type_name(event.type) +
                " came after the terminal event; emit nothing "
                "more");
  }
  if (event.sequence != events_) {
    fail("event " + type_name(event.type) + " has sequence " + std::to_string(event.sequence) +
         ", expected " + std::to_string(events_) + "; number events 0, 1, 2 ... without a gap");
  }
  if (is_terminal(event.type)) terminal_type_ = event.type;
}

void CheckCall::check_event(const bp_event& event) {
  if (event.struct_size < sizeof(bp_event)) {
    return fail("event " + std::to_string(events_) + " has struct_size " +
                std::to_string(event.struct_size) + "; set it to sizeof(bp_event)");
  }
  probe_.step("the bytes of event " + std::to_string(events_) + " (" + type_name(event.type) + ")");
  for (const bp_str& text : {event.data, event.detail, event.logprobs}) {
    if (!read_bytes(event, text)) return;
  }
  check_content(event);
  probe_.step("a call, after event " + std::to_string(events_) + " (" + type_name(event.type) +
              ")");
}

bool CheckCall::read_bytes(const bp_event& event, const bp_str& text) {
  if (text.size > kEventBytesMax || (text.data == nullptr && text.size > 0)) {
    fail("event " + type_name(event.type) + " has " + std::to_string(text.size) + " bytes at " +
         (text.data == nullptr ? "null" : "an address"));
    return false;
  }
  for (std::uint64_t i = 0; i < text.size; ++i) {
    bytes_read_ += static_cast<unsigned char>(text.data[i]);
  }
  return true;
}

void CheckCall::check_tool_call(const bp_event& event) {
  const bp_tool_call* const call = event.tool_call;
  if (call == nullptr || call->struct_size < sizeof(bp_tool_call)) {
    return fail("event TOOL_CALL carries no whole bp_tool_call");
  }
  if (!read_bytes(event, call->id) || !read_bytes(event, call->name)) return;
  std::uint32_t& begun = tool_calls_[event.index];
  const std::string which = "event TOOL_CALL of call " + std::to_string(call->index);
  if (call->index > begun) {
    return fail(which + " came after " + std::to_string(begun) +
                " calls; number them 0, 1 ... within a choice");
  }
  const bool first = call->index == begun;
  begun += first ? 1 : 0;
  if (first && (call->id.size == 0 || call->name.size == 0)) {
    fail(which + " is its first and says no id or no name");
  } else if (!first && (call->id.size != 0 || call->name.size != 0)) {
    fail(which + " says id or name again; leave them empty after its first piece");
  } else if (!is_utf8(view(call->id)) || !is_utf8(view(call->name))) {
    fail(which + " has an id or a name that is not UTF-8");
  }
}

void CheckCall::check_receipt(const bp_event& event) {
  if (std::exchange(has_receipt_, true)) fail("a second event RECEIPT came; a call has one");
  if (event.data.size > BP_RECEIPT_BYTES_MAX) {
    fail("event RECEIPT has " + std::to_string(event.data.size) + " bytes, more than " +
         std::to_string(BP_RECEIPT_BYTES_MAX));
  } else if (!is_json_object(view(event.data))) {
    fail("event RECEIPT is no JSON object");
  }
}

void CheckCall::check_content(const bp_event& event) {
  const bool is_text = event.type == BP_EVENT_TEXT || event.type == BP_EVENT_REASONING ||
                       event.type == BP_EVENT_TOOL_CALL;
  if (is_text && !is_utf8(view(event.data))) {
    fail("event " + type_name(event.type) + " is not UTF-8; keep characters whole");
  }
  if (event.type == BP_EVENT_TOOL_CALL) check_tool_call(event);
  if (event.logprobs.size != 0 && !is_logprobs(view(event.logprobs))) {
    fail("event " + type_name(event.type) +
         " has logprobs that are no JSON array of {\"token\", \"logprob\", ...}");
  }
  if (event.type == BP_EVENT_RECEIPT) check_receipt(event);
  if (event.type == BP_EVENT_USAGE) {
    if (event.usage == nullptr || event.usage->struct_size < sizeof(bp_usage)) {
      return fail("event USAGE carries no whole bp_usage");
    }
    const std::uint64_t tokens = event.usage->prompt_tokens + event.usage->completion_tokens;
    if (tokens < tokens_) fail("event USAGE counts fewer tokens than before; it is cumulative");
    tokens_ = tokens;
  }
  if (event.type == BP_EVENT_ERROR) {
    if (event.error == nullptr) return fail("event ERROR carries no bp_error");
    const std::string fault = fault_of(event.error->code, *event.error);
    if (event.error->code == BP_CODE_OK || !fault.empty()) {
      fail("event ERROR " + (fault.empty() ? "has code OK" : fault));
    }
    terminal_code_ = event.error->code;
  }
}

void CheckCall::fail(const std::string& what) {
  probe_.fail(what + name());
}

std::string CheckCall::name() const {
  if (script_.event == CallScript::kNever) return "";
  return " (answered " + std::string(script_.answer == BP_FLOW_PAUSE ? "PAUSE" : "STOP") +
         " to event " + std::to_string(script_.event) + ")";
}

bool CheckCall::wait_for_script() {
  const auto there = [this] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return script_done_ || terminal_type_ != 0;
  };
  return host_.loop().run_until(there, probe_.patience());
}

bool CheckCall::wait_for_end(const std::string& after) {
  const milliseconds time =
      after.empty() ? probe_.patience() : std::min(probe_.patience(), kCancelGrace);
  if (host_.loop().run_until([this] { return ended(); }, time)) return true;
  fail("no terminal event came within " + std::to_string(time.count()) + " ms" +
       (after.empty() ? "" : " of " + after) + ", after " + std::to_string(events()) +
       " events; end every call with END or ERROR");
  return false;
}

void CheckCall::cancel() {
  probe_.step("cancel");
  call_->cancel(call_);
  call_->cancel(call_);
}

void CheckCall::resume() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    resumed_ = true;
  }
  probe_.step("resume");
  call_->resume(call_);
}

void CheckCall::release() {
  host_.loop().run_until([] { return false; }, kLateEvents);
  probe_.step("release");
  call_->release(call_);
  call_ = nullptr;
  host_.loop().run_until([] { return false; }, kLateEvents);
  if (const int held = body_references_.load(); held > 0) {
    probe_.fail("holds the request's body " + std::to_string(held) +
                " times after release; release what was retained");
  } else if (held < 0) {
    probe_.fail("released the request's body more often than it retained it");
  }
}

std::uint64_t CheckCall::events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

std::uint32_t CheckCall::terminal_type() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return terminal_type_;
}

std::uint32_t CheckCall::terminal_code() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return terminal_code_;
}

}  // namespace backplane
