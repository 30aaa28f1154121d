// SPDX-License-Identifier: Apache-2.0
#include "exchange.hpp"

#include "error_envelope.hpp"
#include "loop_shared.hpp"
#include "media_type.hpp"
#include "token.hpp"

namespace backplane::http {
namespace {

constexpr std::uint32_t kMaxOverrunEvents = 64;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::size_t kMaxRequestIdBytes = 128;

bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

Exchange::Exchange(Server& server, LoopShared& shared)
    : server_(server),
      shared_(shared),
      sink_{sizeof(bp_sink), kMaxOverrunEvents, this,
            [](void* self, const bp_event* event) -> std::uint32_t {
              auto* exchange = static_cast<Exchange*>(self);
              Framing& framing = *exchange->framing_;
              std::uint32_t flow = BP_FLOW_STOP;
              framing.enter();
              try {
                flow = exchange->on_event(*event);
              } catch (...) {  // out of memory: nothing can be said any more
                exchange->release();
                framing.on_cut();
              }
              framing.leave();
              return flow;
            }} {}

Exchange::~Exchange() {
  release();
}

void Exchange::start(Framing& framing, bp_connection* connection) {
  framing_ = &framing;
  connection_ = connection;
}

void Exchange::reset() {
  release();
  upload_.reset();
  head_ = nullptr;
  route_ = {};
  refusal_.reset();
  request_id_.clear();
  lines_.clear();
  metadata_.clear();
}

void Exchange::resume() {
  if (call_ != nullptr) call_->resume(call_);
}

void Exchange::release() {
  if (call_ == nullptr) return;
  bp_call* call = std::exchange(call_, nullptr);
  call->release(call);
}

Exchange::Plan Exchange::on_head(const RequestHead& head) {
  head_ = &head;
  choose_request_id(head.request_id);
  const std::string_view path = path_of(head.target);
  const bool connect = head.method == "CONNECT";
  append_cors(lines_, server_.settings().cors, head.origin);
  route_ = find_route(head.method, path);
  const bool hidden = route_.route != nullptr && route_.route->action == Action::kMetrics &&
                      !server_.settings().metrics;
  if (hidden) route_ = {};
  if (path.empty() && !connect) {
    refusal_ = bad_request("the request target is no path");
    return Plan::kNoWay;
  }
  refusal_ = check();
  if (refusal_) return connect ? Plan::kNoWay : Plan::kRefused;
  if (!is_call()) return Plan::kSkip;
  return is_form(head.content_type) && head.has_body ? Plan::kStream : Plan::kGather;
}

std::optional<Error> Exchange::check() const {
  const RequestHead& head = *head_;
  if (head.method == "OPTIONS" && (route_.route != nullptr || head.target == "*")) {
    return std::nullopt;
  }
  const bool known_method = head.method != "CONNECT" && head.method != "TRACE";
  if (route_.route == nullptr && known_method && head.target != "*") {
    return protocol_error(404, "NOT_FOUND", "no such path; the API is under /v1");
  }
  if (!route_.method_allowed) {
    return protocol_error(405, "METHOD_NOT_ALLOWED",
                          "this path does not take this method; see the header Allow");
  }
  if (route_.route->action == Action::kCall) {
    std::optional<Error> refusal = check_body();
    if (refusal) return refusal;
  }
  if (!head.expect.empty() && !same_token("100-continue", head.expect)) {
    return protocol_error(417, "EXPECTATION_FAILED", "the only expectation is 100-continue");
  }
  return std::nullopt;
}

std::optional<Error> Exchange::check_body() const {
  const std::string_view type = head_->content_type;
  const Accepts accepts = route_.route->accepts;
  const bool form = is_form(type);
  if (form && accepts == Accepts::kJson) {
    return protocol_error(415, "UNSUPPORTED_MEDIA_TYPE", "send the body as application/json");
  }
  if (!form && accepts == Accepts::kForm) {
    return protocol_error(415, "UNSUPPORTED_MEDIA_TYPE", "send the body as multipart/form-data");
  }
  if (form && !has_boundary(type)) return bad_request("the Content-Type has no boundary");
  if (!form && !type.empty() && !is_json(type)) {
    return protocol_error(415, "UNSUPPORTED_MEDIA_TYPE", "send the body as application/json");
  }
  const std::uint64_t length = head_->content_length;
  if (length != BP_SIZE_UNKNOWN && length > server_.settings().max_body_bytes) {
    return body_too_large();
  }
  return std::nullopt;
}

void Exchange::choose_request_id(std::string_view given) {
  if (is_request_id(given)) {
    request_id_ = given;
    return;
  }
  const bp_clock& clock = *server_.services().clock;
  unsigned char bytes[16];
  clock.random(clock.context, bytes, sizeof(bytes));
  request_id_.resize(2 * sizeof(bytes));
  char* digit = request_id_.data();
  for (const unsigned char byte : bytes) {
    *digit++ = "0123456789abcdef"[byte >> 4];
    *digit++ = "0123456789abcdef"[byte & 15];
  }
}

void Exchange::on_request(BufferRef body) {
  if (refusal_) return refuse_now();
  answer(std::move(body));
}

void Exchange::refuse_now() {
  const Error error = *std::exchange(refusal_, std::nullopt);
  respond_error(error);
}

void Exchange::answer_error(const Error& error, std::string_view given_id) {
  if (request_id_.empty()) choose_request_id(given_id);
  respond_error(error);
}

void Exchange::on_form(BufferRef beginning) {
  const std::uint64_t length = head_->content_length;
  const std::uint64_t size = beginning.text().size();
  begin_call(std::move(beginning),
             upload_.open(*framing_, length == BP_SIZE_UNKNOWN ? length : length - size));
}

void Exchange::begin_call(BufferRef body, const bp_body_stream* rest) {
  const Services& services = server_.services();
  const std::string_view operation = route_.route->operation;
  metadata_ = head_->metadata;
  metadata_.push_back({str("remote"), services.net->peer(connection_)});

  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.id = str(request_id_);
  request.operation = str(operation);
  const bool form = is_form(head_->content_type);
  request.content_type = str(form ? head_->content_type : "application/json");
  request.body = body.get();
  request.body_stream = rest;
  request.loop = services.net->loop(connection_);
  request.metadata = metadata_.data();
  request.metadata_count = metadata_.size();

  const std::int64_t now_ns = services.clock->unix_ns(services.clock->context);
  reply_.start({operation, request_id_, lines_, now_ns / kNanosecondsPerSecond});
  bp_call* call = nullptr;
  bp_error error{};
  const std::uint32_t code =
      services.gateway->begin(services.gateway->context, &request, &sink_, &call, &error);
  if (code != BP_CODE_OK) {
    if (error.code == BP_CODE_OK) error.code = code;
    return respond_error(error_of(error));
  }
  call_ = call;
}

std::uint32_t Exchange::on_event(const bp_event& event) {
  Reply::Output out;
  const Reply::Step step = reply_.on_event(event, out);
  if (out.head != nullptr) out.head->date = date_line();
  std::uint32_t flow = BP_FLOW_CONTINUE;
  if (out.part != nullptr) {
    flow = framing_->send_part(out.head, *out.part, step == Reply::Step::kDone);
  } else {
    flow = out.head == nullptr ? framing_->flow() : send_whole(*out.head, out.whole, false);
  }
  if (step == Reply::Step::kMore) return flow;
  release();
  if (step == Reply::Step::kDone) {
    framing_->on_complete();
  } else {
    framing_->on_cut();
  }
  return BP_FLOW_CONTINUE;
}

std::uint32_t Exchange::send_whole(ResponseHead& head, std::string_view body, bool head_only) {
  const std::size_t least = server_.settings().compress_min_bytes;
  std::string extra;
  if (least != 0 && head_ != nullptr && !body.empty()) {
    const Coding coding = choose_coding(head_->accept_encoding);
    const bool fits = body.size() >= least || coding == Coding::kGzipOnly;
    if (fits && is_text(head.content_type)) {
      extra = head.extra;
      extra += "vary: accept-encoding\r\n";
      body = compress(body, coding, extra);
      head.extra = extra;
      head.length = body.size();
    }
  }
  return framing_->send_whole(head, head_only ? std::string_view() : body);
}

std::string_view Exchange::compress(std::string_view body, Coding coding, std::string& lines) {
  if (coding == Coding::kIdentity) return body;
  const std::string_view packed = shared_.compressor().gzip(body);
  const bool saves = !packed.empty() && packed.size() < body.size();
  if (!saves && (packed.empty() || coding != Coding::kGzipOnly)) return body;
  lines += "content-encoding: gzip\r\n";
  return packed;
}

std::string_view Exchange::date_line() {
  const bp_clock& clock = *server_.services().clock;
  return shared_.date_line(clock.unix_ns(clock.context));
}

}  // namespace backplane::http
