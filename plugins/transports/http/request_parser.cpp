// SPDX-License-Identifier: Apache-2.0
#include "request_parser.hpp"

#include "body_buffer.hpp"
#include "error_envelope.hpp"
#include "media_type.hpp"
#include "request_syntax.hpp"
#include "token.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <optional>

namespace backplane::http {
namespace {

namespace beast = boost::beast::http;
using ErrorCode = boost::system::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t kMaxChunkExtensionBytes = 16384;  // of one body
// Beast asserts that it sees this much of the last chunk; a body never ends in fewer bytes.
constexpr std::size_t kLastChunkBytes = 5;
constexpr std::size_t kLineEndBytes = 2;

Error line_too_long() {
  return protocol_error(431, "HEADERS_TOO_LARGE", "a chunk's line or the trailer is too long");
}

std::string_view std_view(BeastView text) {
  return {text.data(), text.size()};
}

// What Beast's parser finds, checked further and gathered.
class Reader final : public beast::basic_parser<true> {
 public:
  Reader(const RequestLimits& limits, RequestHead& head, MessageFraming& framing, BodyBuffer& body)
      : limits_(limits), head_(head), framing_(framing), body_(body) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.head.max_bytes));
    body_limit(limits.max_body_bytes);
  }

  const std::optional<Error>& refusal() const { return refusal_; }
  void keep_nothing() { keep_nothing_ = true; }
  void send_to(std::string& to) { to_ = &to; }
  void begin_piece(const char* at) { line_begin_ = at; }
  // A chunk's line with what comes before it, or the last one with its trailer, is too long.
  bool is_line_too_long(const char* end) const {
    return static_cast<std::size_t>(end - line_begin_) > limits_.head.max_bytes;
  }

  bool check_head() {
    if (framing_.http_11 && hosts_ != 1) return refuse(bad_request("expected one Host header"));
    if (hosts_ > 1) return refuse(bad_request("expected one Host header"));
    if (!framing_.http_11 && encodings_ != 0) {
      return refuse(bad_request("HTTP/1.0 has no Transfer-Encoding; use HTTP/1.1"));
    }
    head_.has_body = !is_done();
    if (const auto length = content_length()) head_.content_length = *length;
    framing_.keep_alive = framing_.http_11 && keep_alive();
    return true;
  }

 private:
  void on_request_impl(beast::verb, BeastView method, BeastView target, int version,
                       ErrorCode& failure) override {
    head_.method = std_view(method);
    head_.target = std_view(target);
    framing_.http_11 = version == 11;
    if (!is_target(head_.target))
      fail(failure, bad_request("the request target has an invalid byte"));
  }

  void on_field_impl(beast::field field, BeastView name, BeastView value,
                     ErrorCode& failure) override {
    if (++fields_ > limits_.head.max_headers) {
      return fail(failure, protocol_error(431, "HEADERS_TOO_LARGE", "there are too many headers"));
    }
    if (is_header_done()) return;  // a trailer
    std::optional<Error> error = take_field(field, std_view(name), std_view(value));
    if (error) fail(failure, std::move(*error));
  }

  std::optional<Error> take_field(beast::field field, std::string_view name,
                                  std::string_view value) {
    switch (field) {
      case beast::field::host:
        ++hosts_;
        if (!is_host(value)) return bad_request("the Host header is not a host");
        return std::nullopt;
      case beast::field::content_length:
        return take_length(value);
      case beast::field::transfer_encoding:
        return take_encoding(value);
      default:
        return backplane::http::take_field(head_, name, value);
    }
  }

  std::optional<Error> take_length(std::string_view value) {
    const bool digits = !value.empty() && std::all_of(value.begin(), value.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
    if (++lengths_ > 1 || !digits)
      return bad_request("expected one Content-Length, a decimal number");
    return std::nullopt;
  }

  std::optional<Error> take_encoding(std::string_view value) {
    if (++encodings_ > 1) return bad_request("expected one Transfer-Encoding");
    if (same_token("chunked", value)) return std::nullopt;
    return protocol_error(501, "UNIMPLEMENTED", "the only Transfer-Encoding here is chunked");
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    // A form is handed on as it comes.
    if (length && !keep_nothing_ && !is_form(head_.content_type)) body_.expect(*length);
  }
  std::size_t on_body_impl(BeastView bytes, ErrorCode& failure) override {
    if (to_ != nullptr) {
      to_->append(bytes.data(), bytes.size());
    } else if (!keep_nothing_ && !body_.append(std_view(bytes))) {
      fail(failure, too_many_bodies());
    }
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView extensions, ErrorCode& failure) override {
    extension_bytes_ += extensions.size();
    if (extension_bytes_ > kMaxChunkExtensionBytes) {
      return fail(failure, bad_request("the chunk extensions are too long"));
    }
    if (is_line_too_long(extensions.data() + extensions.size() + kLineEndBytes)) {
      fail(failure, line_too_long());
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, ErrorCode& failure) override {
    line_begin_ = bytes.data() + bytes.size();
    return on_body_impl(bytes, failure);
  }
  void on_response_impl(int, BeastView, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_finish_impl(ErrorCode&) override {}

  bool refuse(Error error) {
    refusal_ = std::move(error);
    return false;
  }
  void fail(ErrorCode& failure, Error error) {
    refuse(std::move(error));
    failure = beast::error::bad_field;
  }

  const RequestLimits& limits_;
  RequestHead& head_;
  MessageFraming& framing_;
  BodyBuffer& body_;
  std::optional<Error> refusal_;
  std::size_t fields_ = 0;
  std::size_t hosts_ = 0;
  std::size_t lengths_ = 0;
  std::size_t encodings_ = 0;
  std::size_t extension_bytes_ = 0;
  const char* line_begin_ = nullptr;  // of the chunk that comes next
  bool keep_nothing_ = false;
  std::string* to_ = nullptr;
};

}  // namespace

class RequestParser::Message {
 public:
  Message(const RequestLimits& limits, std::shared_ptr<BodyBudget> bodies)
      : limits_(limits), scanner_(limits.head), body_(std::move(bodies)) {}

  Progress feed(std::string_view& input) {
    if (stage_ == Stage::kHead) return feed_head(input);
    if (stage_ == Stage::kBody && !reader_->is_done()) feed_body(input);
    if (stage_ == Stage::kRefused) return Progress::kRefused;
    return reader_->is_done() ? Progress::kDone : Progress::kNeedMore;
  }

  void reset() {
    reader_.reset();
    scanner_.reset();
    std::vector<bp_pair> metadata = std::move(head_.metadata);
    metadata.clear();
    head_ = RequestHead();
    head_.metadata = std::move(metadata);
    framing_ = MessageFraming();
    head_bytes_.clear();
    carry_.clear();
    body_.clear();
    stage_ = Stage::kHead;
  }

  enum class Stage { kHead, kBody, kRefused };

  Stage stage_ = Stage::kHead;
  RequestLimits limits_;
  HeadScanner scanner_;
  RequestHead head_;
  MessageFraming framing_;
  BodyBuffer body_;
  std::optional<Reader> reader_;
  Error error_;

 private:
  Progress feed_head(std::string_view& input) {
    std::size_t consumed = 0;
    const HeadScanner::Outcome outcome = scanner_.scan(input, consumed);
    if (outcome == HeadScanner::Outcome::kRefused) return refuse(scanner_.error());
    head_bytes_.append(input.substr(0, consumed));
    input.remove_prefix(consumed);
    if (outcome == HeadScanner::Outcome::kNeedMore) return Progress::kNeedMore;
    return parse_head();
  }

  Progress parse_head() {
    reader_.emplace(limits_, head_, framing_, body_);
    const std::string_view bytes = std::string_view(head_bytes_).substr(scanner_.leading_bytes());
    ErrorCode failure;
    reader_->put({bytes.data(), bytes.size()}, failure);
    if (failure == beast::error::bad_version && names_other_version(bytes)) {
      return refuse(protocol_error(505, "VERSION_NOT_SUPPORTED", "use HTTP/1.1"));
    }
    if (failure && failure != beast::error::need_more) return refuse(error_of(failure));
    if (!reader_->is_header_done() || !reader_->check_head()) return refuse(error_of(failure));
    stage_ = Stage::kBody;
    return Progress::kHead;
  }

  void feed_body(std::string_view& input) {
    if (input.empty()) return;
    const bool carried = !carry_.empty();
    if (carried) carry_.append(input);
    const std::string_view bytes = carried ? std::string_view(carry_) : input;
    ErrorCode failure;
    std::size_t used = 0;
    reader_->begin_piece(bytes.data());
    if (!reader_->chunked() || bytes.size() >= kLastChunkBytes) {
      used = reader_->put({bytes.data(), bytes.size()}, failure);
    }
    if (failure && failure != beast::error::need_more) {
      refuse(error_of(failure));
      return;
    }
    if (reader_->is_done()) {
      if (reader_->chunked() && reader_->is_line_too_long(bytes.data() + used)) {
        refuse(line_too_long());
        return;
      }
      input.remove_prefix(input.size() - (bytes.size() - used));
      return;
    }
    const std::string_view unread = bytes.substr(used);
    if (reader_->chunked() && is_line_in_quotes(unread)) {  // Beast waits for the rest of it
      refuse(bad_request("a chunk extension's quoted text has no end"));
      return;
    }
    input = {};
    carry_ = std::string(unread);
    if (carry_.size() >= limits_.head.max_bytes) refuse(line_too_long());
  }

  Error error_of(const ErrorCode& failure) const {
    if (reader_->refusal()) return *reader_->refusal();
    if (failure == beast::error::body_limit) return body_too_large();
    return bad_request("the request is not valid HTTP/1.1: " + failure.message());
  }

  Progress refuse(Error error) {
    error_ = std::move(error);
    stage_ = Stage::kRefused;
    return Progress::kRefused;
  }

  std::string head_bytes_;
  std::string carry_;  // a chunk's line that is not complete
};

RequestParser::RequestParser(const RequestLimits& limits, std::shared_ptr<BodyBudget> bodies)
    : message_(std::make_unique<Message>(limits, std::move(bodies))) {}
RequestParser::~RequestParser() = default;

RequestParser::Progress RequestParser::feed(std::string_view& input) {
  return message_->feed(input);
}
const RequestHead& RequestParser::head() const {
  return message_->head_;
}
const MessageFraming& RequestParser::framing() const {
  return message_->framing_;
}
BufferRef RequestParser::take_body() {
  return message_->body_.take();
}
const Error& RequestParser::error() const {
  return message_->error_;
}
void RequestParser::skip_body() {
  message_->reader_->keep_nothing();
}
void RequestParser::send_body_to(std::string& to) {
  message_->reader_->send_to(to);
}
bool RequestParser::idle() const {
  return in_head() && !message_->scanner_.started();
}
bool RequestParser::in_head() const {
  return message_->stage_ == Message::Stage::kHead;
}
void RequestParser::reset() {
  message_->reset();
}

}  // namespace backplane::http
