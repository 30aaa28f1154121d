// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/continuation/continuation.hpp"

#include "runtime/config/json.hpp"
#include "runtime/pipeline/continuation/chunk_text.hpp"
#include "runtime/pipeline/continuation/continued_request.hpp"

#include <algorithm>

namespace backplane {
namespace {

using config::json_string;

std::string choice(std::string_view delta, std::string_view finish_reason) {
  std::string out = R"("choices":[{"index":0,"delta":{)";
  out += delta;
  if (finish_reason.empty()) return out += R"(},"finish_reason":null}])";
  return out += R"(},"finish_reason":)" + json_string(finish_reason) + "}]";
}

std::string content(std::string_view text) {
  return R"("content":)" + json_string(text);
}

std::string usage_text(const bp_usage& usage) {
  const auto number = [](const char* name, std::uint64_t value) {
    return '"' + std::string(name) + "\":" + std::to_string(value);
  };
  return R"("choices":[],"usage":{)" + number("prompt_tokens", usage.prompt_tokens) + ',' +
         number("completion_tokens", usage.completion_tokens) + ',' +
         number("total_tokens", usage.prompt_tokens + usage.completion_tokens) +
         R"(,"prompt_tokens_details":{)" + number("cached_tokens", usage.cached_prompt_tokens) +
         R"(},"completion_tokens_details":{)" + number("reasoning_tokens", usage.reasoning_tokens) +
         "}}";
}

}  // namespace

void Continuation::note(const bp_event& event) {
  if (!is_plain_) return;
  switch (event.type) {
    case BP_EVENT_TEXT:
      if (event.index != 0 || event.logprobs.size != 0) is_plain_ = false;
      return keep(view(event.data));
    case BP_EVENT_CHUNK:
      if (event.detail.size != 0) is_plain_ = false;
      return remember(view(event.data));
    case BP_EVENT_FINISH:
      finish_reason_ = view(event.data);
      return;
    case BP_EVENT_USAGE:
      return;
    default:
      is_plain_ = false;
  }
}

void Continuation::keep(std::string_view text) {
  if (text_.size() + text.size() > kTextBytesMax) is_plain_ = false;
  if (is_plain_) {
    text_ += text;
    if (!text.empty()) ++pieces_;
  } else {
    text_ = {};
  }
}

void Continuation::remember(std::string_view document) {
  const auto chunk = read_chunk_text(document);
  is_plain_ = is_plain_ && chunk && chunk->is_plain;
  if (!is_plain_) return keep({});
  keep(chunk->text);
  if (finish_reason_.empty()) finish_reason_ = chunk->finish_reason;
  if (!opening_.empty()) return;
  const auto or_else = [](std::string_view given, std::string fallback) {
    return given.empty() ? fallback : std::string(given);
  };
  opening_ = R"({"id":)" + or_else(chunk->id, json_string(stream_.id)) +
             R"(,"object":"chat.completion.chunk","created":)" +
             or_else(chunk->created, std::to_string(stream_.created_s)) + R"(,"model":)" +
             or_else(chunk->model, json_string(stream_.model)) + ',';
}

bool Continuation::go_on(const bp_buffer& body, const bp_usage* told) {
  if (!is_possible()) return false;
  bp_usage all = usage(told);
  // Some tell of the prompt at the beginning and of the rest at the end, which never came.
  all.completion_tokens = std::max(all.completion_tokens, before_.completion_tokens + pieces_);
  auto next = continued_request(view(body), text_, all.completion_tokens);
  if (!next) return false;
  constexpr ScanLimits kScanned{1024, std::size_t{1} << 20};  // by tighter limits, before
  body_ = BufferRef::adopt(make_buffer(std::move(*next)));
  Result<RequestScan> scan = scan_request(body_.get(), kScanned);
  if (!scan) return false;
  scan_ = std::move(*scan);
  has_prompt_ |= told != nullptr;
  before_ = all;
  pieces_ = 0;
  is_under_way_ = true;
  is_announced_ = false;
  return true;
}

void Continuation::put_in(bp_request& request) const {
  request.body = body_.get();
  request.model_offset = scan_.model_offset;
  request.model_size = scan_.model_size;
  request.max_output_tokens = scan_.max_output_tokens;
  if (!text_.empty()) request.flags |= BP_REQUEST_CONTINUE;
}

bp_usage Continuation::usage(const bp_usage* told) const {
  bp_usage all = before_;
  all.struct_size = sizeof(bp_usage);
  if (told == nullptr) {
    all.completion_tokens += pieces_;
    return all;
  }
  all.completion_tokens += told->completion_tokens;
  all.reasoning_tokens += told->reasoning_tokens;
  if (has_prompt_) return all;
  // What was written before was read again by the present one.
  const std::uint64_t again = std::min(before_.completion_tokens, told->prompt_tokens);
  all.prompt_tokens = told->prompt_tokens - again;
  all.cached_prompt_tokens = std::min(told->cached_prompt_tokens, all.prompt_tokens);
  return all;
}

std::uint32_t Continuation::pass_on(const bp_event& event, const Route& route, const Send& send) {
  std::uint32_t flow = BP_FLOW_CONTINUE;
  if (!is_announced_) {
    is_announced_ = true;
    flow = send_document(
        choice(content({}), {}) + R"(,"x_backplane":{"event":"failover","provider":)" +
            json_string(route.backend) + R"(,"model":)" + json_string(route.model) +
            R"(,"attempts":)" + std::to_string(route.tries) + '}',
        send);
  }
  if (flow == BP_FLOW_STOP || event.index != 0) return flow;
  if (event.type == BP_EVENT_TEXT) return text(view(event.data), send);
  if (event.type == BP_EVENT_FINISH) return finish_reason(view(event.data), send);
  if (event.type != BP_EVENT_CHUNK) return flow;
  const auto chunk = read_chunk_text(view(event.data));
  if (!chunk) return send(event);
  flow = text(chunk->text, send);
  if (flow == BP_FLOW_STOP || chunk->finish_reason.empty()) return flow;
  return finish_reason(chunk->finish_reason, send);
}

std::uint32_t Continuation::text(std::string_view text, const Send& send) {
  if (text.empty()) return BP_FLOW_CONTINUE;
  keep(text);
  if (!opening_.empty()) return send_document(choice(content(text), {}), send);
  bp_event event{};
  event.type = BP_EVENT_TEXT;
  event.data = str(text);
  return send(event);
}

std::uint32_t Continuation::finish_reason(std::string_view reason, const Send& send) {
  finish_reason_ = reason;
  if (!opening_.empty()) return send_document(choice({}, reason), send);
  bp_event event{};
  event.type = BP_EVENT_FINISH;
  event.data = str(reason);
  return send(event);
}

void Continuation::finish(const bp_usage& usage, const Send& send) {
  if (opening_.empty()) return;  // whoever makes documents of text makes these as well
  if (finish_reason_.empty() && finish_reason("stop", send) == BP_FLOW_STOP) return;
  if (stream_.wants_usage) send_document(usage_text(usage), send);
}

std::uint32_t Continuation::send_document(std::string_view rest, const Send& send) {
  std::string document = opening_;
  if (document.empty()) {
    document = R"({"id":)" + json_string("chatcmpl-" + std::string(stream_.id)) +
               R"(,"object":"chat.completion.chunk","created":)" +
               std::to_string(stream_.created_s) + R"(,"model":)" + json_string(stream_.model) +
               ',';
  }
  document += rest;
  document += '}';
  bp_event event{};
  event.type = BP_EVENT_CHUNK;
  event.data = str(document);
  return send(event);
}

}  // namespace backplane
