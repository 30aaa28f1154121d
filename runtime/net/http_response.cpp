// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_response.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <cassert>
#include <optional>
#include <string>
#include <vector>

#include "runtime/net/http.hpp"

namespace backplane {

namespace {

namespace http = boost::beast::http;
using BeastError = boost::beast::error_code;

constexpr int kInterimResponsesMax = 16;
constexpr int kSwitchingProtocols = 101;
constexpr std::size_t kLastChunkBytes = 5;  // Beast must not see less of it a second time
const BeastError kStop = http::error::need_buffer;

std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Names and values of one response, in one piece of memory that is used again.
class FieldList {
 public:
  void clear() {
    text_.clear();
    ends_.clear();
  }
  void add(std::string_view name, std::string_view value) {
    for (const char c : name)
      text_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    ends_.push_back(text_.size());
    text_.append(value);
    ends_.push_back(text_.size());
  }
  std::span<const bp_pair> pairs() {
    pairs_.clear();
    std::size_t begin = 0;
    for (std::size_t index = 0; index < ends_.size(); index += 2) {
      const std::size_t middle = ends_[index];
      const std::size_t end = ends_[index + 1];
      pairs_.push_back(
          {{text_.data() + begin, middle - begin}, {text_.data() + middle, end - middle}});
      begin = end;
    }
    return pairs_;
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
  std::vector<bp_pair> pairs_;
};

class Message final : public http::basic_parser<false> {
 public:
  Message(ResponseSink& sink, FieldList& fields) : sink_(sink), fields_(fields) {
    fields_.clear();
    header_limit(kResponseHeadMaxBytes);
    body_limit(boost::none);
    eager(true);
  }
  bool is_interim() const { return status_ / 100 == 1; }
  int status() const { return status_; }
  // At the size of a chunk, not in its bytes.
  bool between_chunks() const {
    return is_header_done() && !is_done() && chunked() && left_in_chunk_ == 0;
  }

 private:
  void on_request_impl(http::verb, boost::beast::string_view, boost::beast::string_view, int,
                       BeastError&) override {}
  void on_response_impl(int status, boost::beast::string_view, int, BeastError&) override {
    status_ = status;
  }
  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     BeastError&) override {
    if (!in_body_) fields_.add(view_of(name), view_of(value));
  }
  void on_header_impl(BeastError& error) override {
    in_body_ = true;
    if (is_interim()) return;
    if (!sink_.on_head(static_cast<std::uint32_t>(status_), fields_.pairs())) error = kStop;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(boost::beast::string_view body, BeastError& error) override {
    if (!body.empty() && !sink_.on_body(view_of(body))) error = kStop;
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view, BeastError&) override {
    left_in_chunk_ = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                 BeastError& error) override {
    left_in_chunk_ -= body.size();
    return on_body_impl(body, error);
  }
  void on_finish_impl(BeastError&) override {}

  ResponseSink& sink_;
  FieldList& fields_;
  int status_ = 0;
  std::uint64_t left_in_chunk_ = 0;
  bool in_body_ = false;
};

}  // namespace

class ResponseReader::Parser {
 public:
  explicit Parser(ResponseSink& sink) : sink_(sink) {}

  void begin(bool to_head) {
    interim_responses_ = 0;
    to_head_ = to_head;
    next();
  }

  Progress read(std::string_view bytes, std::size_t& consumed) {
    consumed = 0;
    for (;;) {
      BeastError error;
      const std::string_view rest = bytes.substr(consumed);
      if (message_->between_chunks() && rest.size() < kLastChunkBytes) return Progress::kNeedMore;
      if (!message_->is_done()) consumed += message_->put({rest.data(), rest.size()}, error);
      if (error == kStop) return Progress::kStopped;
      if (error == http::error::need_more) return Progress::kNeedMore;
      if (error) return Progress::kMalformed;
      if (!message_->is_done()) return Progress::kNeedMore;
      if (!message_->is_interim()) return Progress::kDone;
      if (message_->status() == kSwitchingProtocols ||
          ++interim_responses_ > kInterimResponsesMax) {
        return Progress::kMalformed;
      }
      next();
    }
  }

  Progress end(bool truncated) {
    if (!message_->got_some() || !message_->is_header_done() || truncated) {
      return Progress::kMalformed;
    }
    BeastError error;
    message_->put_eof(error);
    return error ? Progress::kMalformed : Progress::kDone;
  }

  bool keeps_alive() const { return message_->keep_alive(); }

 private:
  void next() {
    message_.emplace(sink_, fields_);
    message_->skip(to_head_);
  }

  ResponseSink& sink_;
  FieldList fields_;
  std::optional<Message> message_;
  int interim_responses_ = 0;
  bool to_head_ = false;
};

ResponseReader::ResponseReader(ResponseSink& sink) : parser_(std::make_unique<Parser>(sink)) {}
ResponseReader::~ResponseReader() = default;
void ResponseReader::begin(bool to_head) {
  parser_->begin(to_head);
}
Progress ResponseReader::read(std::string_view bytes, std::size_t& consumed) {
  return parser_->read(bytes, consumed);
}
Progress ResponseReader::end(bool truncated) {
  return parser_->end(truncated);
}
bool ResponseReader::keeps_alive() const {
  return parser_->keeps_alive();
}

}  // namespace backplane
