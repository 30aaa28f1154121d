// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/blocking_http.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/deployment_file.hpp"
#include "runtime/host/runtime.hpp"

#include <boost/json.hpp>

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace backplane::cli {
namespace {

namespace json = boost::json;

// A server must not be able to command the terminal: without C0, DEL and C1 but line ends and tabs.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      ++i;
    } else if ((byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\t') {
      out += text[i];
    }
  }
  return out;
}

// The "content" of the first choice of a chunk; empty where there is none.
std::string content_of(const json::value& chunk) {
  boost::system::error_code missing;
  const json::value* content = chunk.find_pointer("/choices/0/delta/content", missing);
  return content != nullptr && content->is_string() ? std::string(content->as_string()) : "";
}

std::string message_of(std::string_view body) {
  boost::system::error_code failure;
  const json::value document = json::parse(body, failure);
  const json::value* message = failure ? nullptr : document.find_pointer("/error/message", failure);
  return message != nullptr && message->is_string() ? printable(message->as_string())
                                                    : "the server gave no reason";
}

// Gathers the lines of a stream of events and prints what they say as it comes.
class AnswerPrinter {
 public:
  // False: this is no stream of events.
  bool take(std::string_view bytes) {
    constexpr std::size_t kLineBytesMax = 4 * 1024 * 1024;
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos;) {
      pending_ += bytes.substr(0, end);
      line(pending_);
      pending_.clear();
      bytes.remove_prefix(end + 1);
    }
    pending_ += bytes;
    if (pending_.size() <= kLineBytesMax) return true;
    error_ = "the server sent a line longer than 4 MiB";
    return false;
  }
  const std::string& answer() const { return answer_; }
  const std::string& error() const { return error_; }
  bool done() const { return done_; }

 private:
  void line(std::string_view line) {
    constexpr std::string_view kData = "data:";
    if (line.substr(0, kData.size()) != kData) return;
    line.remove_prefix(kData.size());
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line == "[DONE]") done_ = true;
    boost::system::error_code failure;
    const json::value chunk = json::parse(line, failure);
    if (failure || !chunk.is_object()) return;
    if (chunk.as_object().contains("error")) error_ = message_of(line);
    const std::string text = content_of(chunk);
    std::cout << printable(text) << std::flush;
    answer_ += text;
  }

  std::string pending_;
  std::string answer_;
  std::string error_;
  bool done_ = false;
};

class Conversation {
 public:
  Conversation(BlockingHttp& http, const ChatOptions& options, std::string url)
      : http_(http), options_(options), url_(std::move(url)), model_(options.model) {
    headers_ = {{"content-type", "application/json"}};
    if (const char* key = std::getenv(options.key_variable.c_str()); key != nullptr) {
      headers_.emplace_back("authorization", std::string("Bearer ") + key);
    }
    if (!options.system.empty()) add("system", options.system);
  }

  Status choose_model() {
    if (!model_.empty()) return ok();
    const Result<HttpAnswer> answer = http_.request("GET", url_ + "/models", headers_, {}, nullptr);
    if (!answer) return at_server(answer.error());
    if (answer->status != 200) return internal_error(message_of(answer->body));
    boost::system::error_code failure;
    const json::value list = json::parse(answer->body, failure);
    const json::value* id = failure ? nullptr : list.find_pointer("/data/0/id", failure);
    if (id == nullptr || !id->is_string()) return internal_error("the server lists no model");
    model_ = id->as_string();
    return ok();
  }

  // Prints the answer as it comes, and keeps it for the next question.
  Status ask(const std::string& question) {
    add("user", question);
    AnswerPrinter printer;
    const Result<HttpAnswer> answer =
        http_.request("POST", url_ + "/chat/completions", headers_, body(),
                      [&](std::string_view bytes) { return printer.take(bytes); });
    Status status = ok();
    if (!answer) {
      status = at_server(answer.error());
    } else if (answer->status != 200) {
      status = internal_error(message_of(answer->body));
    } else if (!printer.error().empty() || !printer.done()) {
      status = internal_error(printer.error().empty() ? "the answer was cut off" : printer.error());
    }
    std::cout << std::endl;
    if (status) {
      add("assistant", printer.answer());
    } else {
      messages_.pop_back();
    }
    return status;
  }
  const std::string& model() const { return model_; }

 private:
  Status at_server(const Error& error) const {
    return Error{error.code, url_ + ": " + error.message + "; is the server running?", {}, 0, 0};
  }
  void add(std::string_view role, std::string_view content) {
    messages_.push_back(json::object{{"role", role}, {"content", content}});
  }
  std::string body() const {
    json::object request{{"model", model_}, {"messages", messages_}, {"stream", true}};
    if (options_.temperature) request["temperature"] = *options_.temperature;
    if (options_.max_tokens != 0) request["max_tokens"] = options_.max_tokens;
    return json::serialize(request);
  }

  BlockingHttp& http_;
  const ChatOptions& options_;
  const std::string url_;
  std::string model_;
  std::vector<std::pair<std::string, std::string>> headers_;
  json::array messages_;
};

int fail(const std::string& message) {
  std::cerr << "backplane: " << message << '\n';
  return 1;
}

int interact(Conversation& conversation) {
  const bool is_terminal = isatty(STDIN_FILENO) != 0;
  if (is_terminal) {
    std::cout << "Chatting with " << printable(conversation.model())
              << ". An empty line or Ctrl-D ends.\n";
  }
  std::string line;
  while ((is_terminal ? std::cout << "> " << std::flush : std::cout) &&
         std::getline(std::cin, line) && !line.empty()) {
    if (const Status status = conversation.ask(line); !status) {
      std::cerr << "backplane: " << status.error().message << '\n';
      if (!is_terminal) return 1;
    }
  }
  return 0;
}

// Serves the deployment in this process; its first address is the one to talk to.
Result<std::unique_ptr<Runtime>> serve_here(const std::string& file) {
  auto deployment = load_deployment(file, {});
  if (!deployment) return invalid_argument("the deployment file has errors");
  deployment->log.level = config::LogLevel::kError;
  auto runtime = Runtime::start(std::move(*deployment));
  if (runtime && (*runtime)->addresses().empty()) {
    return invalid_argument(file + ": no transport listens");
  }
  return runtime;
}

}  // namespace

int chat(const ChatOptions& options) {
  std::unique_ptr<Runtime> runtime;
  std::string url = options.url;
  if (!options.deployment.empty()) {
    auto started = serve_here(options.deployment);
    if (!started) return fail(started.error().message);
    runtime = std::move(*started);
    url = "http://" + runtime->addresses().front() + "/v1";
  }
  while (!url.empty() && url.back() == '/') url.pop_back();
  auto http = BlockingHttp::create();
  if (!http) return fail(http.error().message);
  Conversation conversation(**http, options, url);
  if (const Status chosen = conversation.choose_model(); !chosen) {
    return fail(chosen.error().message);
  }
  if (options.once.empty()) return interact(conversation);
  const Status answered = conversation.ask(options.once);
  return answered ? 0 : fail(answered.error().message);
}

}  // namespace backplane::cli
