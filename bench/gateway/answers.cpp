// SPDX-License-Identifier: Apache-2.0
#include "answers.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace backplane::bench {
namespace {

constexpr std::string_view kDocument =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"mock",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"%"},)"
    R"("finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":9,"completion_tokens":64,"total_tokens":73}})";
constexpr std::string_view kChunkOpen =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"mock",)";
constexpr std::string_view kText =
    R"("choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]})";
constexpr std::string_view kFinish =
    R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
constexpr std::string_view kUsage =
    R"("choices":[],"usage":{"prompt_tokens":9,"completion_tokens":64,"total_tokens":73}})";

std::string document(std::size_t bytes) {
  std::string text(kDocument);
  const std::string filling(bytes > text.size() ? bytes - text.size() : 1, 'a');
  return text.replace(text.find('%'), 1, filling);
}

std::string hexadecimal(std::size_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return {digits.data(), end.ptr};
}

std::string frame(std::string_view payload) {
  const std::string event = "data: " + std::string(payload) + "\n\n";
  return hexadecimal(event.size()) + "\r\n" + event + "\r\n";
}

std::vector<std::string> make_frames(std::size_t count) {
  const std::string open(kChunkOpen);
  std::vector<std::string> frames(count - 3, frame(open + std::string(kText)));
  frames.push_back(frame(open + std::string(kFinish)));
  frames.push_back(frame(open + std::string(kUsage)));
  frames.push_back(frame("[DONE]") + "0\r\n\r\n");
  return frames;
}

}  // namespace

Answers make_answers(std::size_t body_bytes, std::size_t frames) {
  Answers answers;
  const std::string body = document(body_bytes);
  answers.whole = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body;
  answers.stream_head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  answers.frames = make_frames(frames);
  answers.burst = answers.stream_head;
  for (const std::string& each : answers.frames) answers.burst += each;
  return answers;
}

}  // namespace backplane::bench
