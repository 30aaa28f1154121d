// SPDX-License-Identifier: Apache-2.0
#include "reply.hpp"

#include "error_envelope.hpp"
#include "media_type.hpp"
#include "token.hpp"

#include <algorithm>

namespace backplane::http {
namespace {

constexpr std::size_t kMaxTextBytes = 8 * 1024 * 1024;  // of a whole document, all choices
constexpr std::uint32_t kMaxChoices = 128;
constexpr std::uint32_t kMaxToolCalls = 1024;  // of one choice
constexpr std::size_t kMaxExtraBytes = 16384;
constexpr std::size_t kKeptBytes = 65536;  // larger buffers are given back after a call
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEventStream = "text/event-stream";

Error unexpected_event() {
  return internal_error("the backend sent an event that does not fit this call");
}

Error too_long() {
  return {Code::kDataLoss, "the response is longer than 8 MiB; ask for a stream",
          "RESPONSE_TOO_LARGE", 502, 0};
}

std::string_view media_type_of(const bp_event& event) {
  const std::string_view type = view(event.detail);
  return type.empty() || !is_field_value(type) ? kJson : type;
}

void empty(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptBytes) text.shrink_to_fit();
}

}  // namespace

void Reply::start(const ReplyOptions& options) {
  renders_text_ = options.operation == "chat.completions" || options.operation == "completions";
  kind_ = options.operation == "completions" ? DialectKind::kCompletion : DialectKind::kChat;
  created_s_ = options.created_s;
  request_id_ = options.request_id;
  flags_ = 0;
  mode_ = Mode::kNone;
  head_sent_ = false;
  extra_ = options.lines;
  choices_.clear();
  text_bytes_ = 0;
  has_usage_ = false;
  empty(body_);
  media_type_.clear();
}

Reply::Step Reply::on_event(const bp_event& event, Output& out) {
  switch (event.type) {
    case BP_EVENT_TEXT:
      return on_text(event, out);
    case BP_EVENT_CHUNK:
      return on_chunk(event, out);
    case BP_EVENT_HEAD:
      return on_head(event);
    case BP_EVENT_FINISH:
      return on_finish(event, out);
    case BP_EVENT_BODY:
      return on_body(event, out);
    case BP_EVENT_USAGE:
      return on_usage(event);
    case BP_EVENT_REASONING:
      return on_reasoning(event, out);
    case BP_EVENT_TOOL_CALL:
      return on_tool_call(event, out);
    case BP_EVENT_END:
      return on_end(event, out);
    case BP_EVENT_ERROR:
      return on_error(event, out);
    default:
      return Step::kMore;
  }
}

Reply::Step Reply::on_head(const bp_event& event) {
  flags_ = event.flags;
  for (std::uint64_t i = 0; i < event.header_count && extra_.size() < kMaxExtraBytes; ++i) {
    append_foreign_header(extra_, event.headers[i]);
  }
  model_ = view(event.data);
  return Step::kMore;
}

Reply::Step Reply::on_text(const bp_event& event, Output& out) {
  Choice* choice = choice_of(event.index);
  if (choice == nullptr || !enter(streams() ? Mode::kEvents : Mode::kText)) {
    return fail(unexpected_event(), out);
  }
  const std::string_view text = view(event.data);
  if (mode_ == Mode::kText) return gather(event, *choice, out);
  open_stream(kEventStream, out);
  open_choice(event.index, *choice);
  if (event.logprobs.size != 0) {
    dialect_.text_event(chunk_.text(), event.index, text, view(event.logprobs), *choice);
  } else if (!text.empty()) {
    dialect_.text_event(chunk_.text(), event.index, text);
  }
  send_part(out);
  return Step::kMore;
}

Reply::Step Reply::on_reasoning(const bp_event& event, Output& out) {
  Choice* choice = chat_choice_of(event.index);
  if (choice == nullptr || !enter(streams() ? Mode::kEvents : Mode::kText)) {
    return fail(unexpected_event(), out);
  }
  if (mode_ == Mode::kText) return gather(event, *choice, out);
  open_stream(kEventStream, out);
  open_choice(event.index, *choice);
  dialect_.reasoning_event(chunk_.text(), event.index, view(event.data));
  send_part(out);
  return Step::kMore;
}

// The first piece of a call is the one that comes when there are as many as its index says.
Reply::Step Reply::on_tool_call(const bp_event& event, Output& out) {
  Choice* choice = chat_choice_of(event.index);
  const bp_tool_call* call = event.tool_call;
  const bool fits = choice != nullptr && call != nullptr && call->index < kMaxToolCalls &&
                    call->index <= choice->tool_calls.size() &&
                    (call->index == choice->tool_calls.size()) == (call->id.size != 0);
  if (!fits || !enter(streams() ? Mode::kEvents : Mode::kText)) {
    return fail(unexpected_event(), out);
  }
  if (call->id.size != 0) choice->tool_calls.emplace_back();
  if (mode_ == Mode::kText) return gather(event, *choice, out);
  open_stream(kEventStream, out);
  open_choice(event.index, *choice, false);
  dialect_.tool_call_event(chunk_.text(), event.index, *call, view(event.data));
  send_part(out);
  return Step::kMore;
}

// Adds an event to the document that is sent at the end.
Reply::Step Reply::gather(const bp_event& event, Choice& choice, Output& out) {
  const std::string_view text = view(event.data);
  text_bytes_ += text.size() + event.logprobs.size;
  if (text_bytes_ > kMaxTextBytes) return fail(too_long(), out);
  if (event.type == BP_EVENT_TOOL_CALL) {
    ToolCall& call = choice.tool_calls[event.tool_call->index];
    call.id += view(event.tool_call->id);
    call.name += view(event.tool_call->name);
    call.arguments += text;
  } else {
    (event.type == BP_EVENT_TEXT ? choice.text : choice.reasoning) += text;
  }
  const std::string_view entries = array_inside(view(event.logprobs));
  if (entries.empty()) return Step::kMore;
  if (!choice.logprobs.empty()) choice.logprobs += ',';
  choice.logprobs += entries;
  return Step::kMore;
}

Reply::Step Reply::on_finish(const bp_event& event, Output& out) {
  Choice* choice = choice_of(event.index);
  if (choice == nullptr || !enter(streams() ? Mode::kEvents : Mode::kText)) {
    return fail(unexpected_event(), out);
  }
  choice->finish_reason = view(event.data);
  if (mode_ == Mode::kText) return Step::kMore;
  open_stream(kEventStream, out);
  open_choice(event.index, *choice);
  dialect_.finish_event(chunk_.text(), event.index, choice->finish_reason);
  send_part(out);
  return Step::kMore;
}

Reply::Step Reply::on_chunk(const bp_event& event, Output& out) {
  if (!streams() || !enter(Mode::kEvents)) return fail(unexpected_event(), out);
  open_stream(kEventStream, out);
  const std::string_view name = view(event.detail);
  append_event(chunk_.text(), view(event.data), is_field_value(name) ? name : std::string_view());
  send_part(out);
  return Step::kMore;
}

Reply::Step Reply::on_body(const bp_event& event, Output& out) {
  if (mode_ == Mode::kNone) {
    media_type_ = media_type_of(event);
    mode_ = is_json(media_type_) ? Mode::kHeldBody : Mode::kBody;
    if (mode_ == Mode::kHeldBody) {
      body_ = view(event.data);
      return Step::kMore;
    }
  }
  if (mode_ != Mode::kHeldBody && mode_ != Mode::kBody) return fail(unexpected_event(), out);
  open_stream(media_type_, out);
  if (mode_ == Mode::kHeldBody) chunk_.text() += body_;
  mode_ = Mode::kBody;
  chunk_.text() += view(event.data);
  send_part(out);
  return Step::kMore;
}

Reply::Step Reply::on_usage(const bp_event& event) {
  if (event.usage == nullptr) return Step::kMore;
  usage_ = *event.usage;
  has_usage_ = true;
  return Step::kMore;
}

Reply::Step Reply::on_end(const bp_event& event, Output& out) {
  if (mode_ == Mode::kHeldBody) return whole(200, media_type_, body_, out);
  if (mode_ == Mode::kText) return end_document(out);
  if (mode_ == Mode::kNone && !streams()) return fail(unexpected_event(), out);
  open_stream(kEventStream, out);
  if (mode_ != Mode::kBody) {
    end_choices();
    const bool usage = (flags_ & BP_REQUEST_USAGE) != 0 && has_usage_ && !choices_.empty();
    if (usage) dialect_.usage_event(chunk_.text(), usage_);
    if (renders_text_) {
      chunk_.text() += kLastEvent;
    } else if (event.data.size != 0) {
      append_event(chunk_.text(), view(event.data));
    }
  }
  send_part(out);
  return Step::kDone;
}

Reply::Step Reply::end_document(Output& out) {
  for (Choice& choice : choices_) {
    if (choice.finish_reason.empty()) choice.finish_reason = "stop";
  }
  body_.clear();
  dialect_.document(body_, choices_, has_usage_ ? &usage_ : nullptr);
  return whole(200, kJson, body_, out);
}

Reply::Step Reply::on_error(const bp_event& event, Output& out) {
  const Error error = event.error == nullptr ? internal_error("") : error_of(*event.error);
  if (head_sent_) return fail(error, out);
  for (std::uint64_t i = 0; i < event.header_count && extra_.size() < kMaxExtraBytes; ++i) {
    append_foreign_header(extra_, event.headers[i]);
  }
  if (event.data.size == 0) return fail(error, out);
  append_error_headers(extra_, error);
  body_ = view(event.data);
  return whole(classify(error).status, media_type_of(event), body_, out);
}

Reply::Step Reply::fail(const Error& error, Output& out) {
  if (!head_sent_) {
    append_error_headers(extra_, error);
    body_.clear();
    append_envelope(body_, error);
    return whole(classify(error).status, kJson, body_, out);
  }
  if (mode_ != Mode::kEvents) return Step::kCut;
  body_.clear();
  append_envelope(body_, error);
  chunk_.open();
  append_event(chunk_.text(), body_);
  send_part(out);
  return Step::kCut;
}

bool Reply::enter(Mode mode) {
  if (mode_ == Mode::kNone) mode_ = mode;
  return mode_ == mode;
}

// Not at the head: documents that are passed on as they come need none.
void Reply::start_dialect() {
  const bool usage_chunk = streams() && (flags_ & BP_REQUEST_USAGE) != 0;
  dialect_.start({kind_, request_id_, model_, created_s_, usage_chunk});
}

Choice* Reply::choice_of(std::uint32_t index) {
  if (!renders_text_ || index >= kMaxChoices) return nullptr;
  if (choices_.empty()) start_dialect();
  if (index >= choices_.size()) choices_.resize(index + 1);
  return &choices_[index];
}

Choice* Reply::chat_choice_of(std::uint32_t index) {
  return kind_ == DialectKind::kChat ? choice_of(index) : nullptr;
}

void Reply::open_stream(std::string_view content_type, Output& out) {
  chunk_.open();
  if (head_sent_) return;
  if (content_type == kEventStream) extra_ += "cache-control: no-cache\r\n";
  ResponseHead head;
  head.content_type = content_type;
  open_head(head, out);
}

void Reply::open_choice(std::uint32_t index, Choice& choice, bool with_content) {
  if (!choice.opened && dialect_.is_chat()) {
    dialect_.role_event(chunk_.text(), index, with_content);
  }
  choice.opened = true;
}

void Reply::end_choices() {
  for (std::uint32_t index = 0; index < choices_.size(); ++index) {
    Choice& choice = choices_[index];
    if (!choice.finish_reason.empty()) continue;
    open_choice(index, choice);
    dialect_.finish_event(chunk_.text(), index, "stop");
  }
}

Reply::Step Reply::whole(std::uint32_t status, std::string_view content_type, std::string_view body,
                         Output& out) {
  ResponseHead head;
  head.status = status;
  head.content_type = content_type;
  head.length = body.size();
  open_head(head, out);
  out.whole = body;
  return Step::kDone;
}

void Reply::open_head(const ResponseHead& head, Output& out) {
  head_ = head;
  head_.request_id = request_id_;
  head_.extra = extra_;
  head_sent_ = true;
  out.head = &head_;
}

}  // namespace backplane::http
