// SPDX-License-Identifier: Apache-2.0
// A backend that answers with the last thing it was told. The template: copy this folder.
#include <backplane/plugin.hpp>

#include <boost/json.hpp>

#include <algorithm>

#include "upload_call.hpp"

namespace {

namespace json = boost::json;
using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

struct Settings {
  std::size_t piece_bytes = 0;
};

Error bad_request(std::string message) {
  return {Code::kInvalidArgument, std::move(message), "INVALID_REQUEST", 400, 0};
}

// The text to send back: the last message's content, the prompt, or what is to be spoken.
Result<std::string> text_of(const bp_request& request) {
  boost::system::error_code failure;
  const json::value body = json::parse(view(request.body), failure);
  if (failure || !body.is_object()) return bad_request("the body is not a JSON object");
  const json::object& fields = body.as_object();
  const bool speaks = view(request.operation) == "audio.speech";
  const json::value* text = fields.if_contains(speaks ? "input" : "prompt");
  if (view(request.operation) == "chat.completions") {
    const json::value* messages = fields.if_contains("messages");
    if (messages == nullptr || !messages->is_array() || messages->as_array().empty()) {
      return bad_request("messages: expected at least one message");
    }
    const json::value& last = messages->as_array().back();
    text = last.is_object() ? last.as_object().if_contains("content") : nullptr;
  }
  if (text == nullptr || !text->is_string()) {
    return bad_request(
        "the echo backend answers text only; give content, prompt or input as a string");
  }
  return std::string(text->as_string());
}

// Sends the text piece by piece; all of it on the call's loop. Every `advance` may be re-entered by
// no one: the host calls cancel and resume only between events.
class EchoCall final : public Call {
 public:
  EchoCall(std::string text, bool speaks, std::size_t piece_bytes, const bp_sink& sink)
      : text_(std::move(text)), speaks_(speaks), piece_bytes_(piece_bytes), events_(sink) {}

  void advance() {
    while (!events_.ended() && sent_ < text_.size()) {
      const std::size_t end = piece_end();
      const std::string_view piece = std::string_view(text_).substr(sent_, end - sent_);
      const std::uint32_t flow =
          speaks_ ? events_.body(piece, "application/octet-stream") : events_.text(piece);
      sent_ = end;
      if (flow == BP_FLOW_PAUSE) return;
      if (flow == BP_FLOW_STOP) return on_cancel();
    }
    if (!events_.ended()) finish();
  }

  void on_cancel() noexcept override {
    if (!events_.ended()) events_.error({Code::kCancelled, "the call was cancelled", {}, 0, 0});
  }
  void on_resume() noexcept override { advance(); }

 private:
  // Pieces end between characters, as the pieces of a tokenizer's output must.
  std::size_t piece_end() const {
    std::size_t end = std::min(text_.size(), sent_ + piece_bytes_);
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
    return end;
  }
  void finish() {
    if (!speaks_) events_.finish("stop");
    events_.usage(text_.size(), text_.size());
    events_.end();
  }

  const std::string text_;
  const bool speaks_;
  const std::size_t piece_bytes_;
  std::size_t sent_ = 0;
  EventWriter events_;
};

class Echo final : public Backend {
 public:
  static Result<std::unique_ptr<Echo>> create(Host /*host*/, const InstanceOptions& options) {
    boost::system::error_code failure;
    const json::value settings = json::parse(options.settings, failure);
    if (failure || !settings.is_object()) return invalid_argument("settings: expected an object");
    const json::value* piece = settings.as_object().if_contains("piece_bytes");
    const std::int64_t bytes = piece != nullptr && piece->is_int64() ? piece->as_int64() : 16;
    if (bytes < 1) return invalid_argument("settings.piece_bytes: expected at least 1");
    auto echo = std::make_unique<Echo>();
    echo->settings_.piece_bytes = static_cast<std::size_t>(bytes);
    return echo;
  }

  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override {
    const std::string_view operation = view(request.operation);
    if (operation == "audio.transcriptions") return echo::start_upload(request, sink);
    const bool speaks = operation == "audio.speech";
    if (!speaks && operation != "chat.completions" && operation != "completions") {
      return Error{Code::kUnimplemented,
                   "the echo backend does not serve " + std::string(operation),
                   {},
                   0,
                   0};
    }
    Result<std::string> text = text_of(request);
    if (!text) return text.error();
    auto call = std::make_unique<EchoCall>(std::move(*text), speaks, settings_.piece_bytes, sink);
    call->advance();
    return call.release();
  }

  std::string describe() override {
    return R"({"models": [], "operations": ["chat.completions", "completions", "audio.speech", )"
           R"("audio.transcriptions"]})";
  }

 private:
  Settings settings_;
};

}  // namespace

BP_EXPORT_BACKEND(Echo, kSchema);
