// SPDX-License-Identifier: Apache-2.0
// Bytes of a client through the transport: however they come, the same calls begin and the same is
// answered.
#include <string>

#include "tests/fuzz/answers.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using test::FakeCall;
using test::FakeHost;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // of another target

void erase_each(std::string& text, std::string_view begin, std::string_view end) {
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    text.erase(at, text.find(end, at) - at);
  }
}

void replace_each(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
}

// Why a request is refused, as invalid or as too large, may depend on how much of it has come; that
// it is must not.
std::string without_reasons(std::string output) {
  erase_each(output, R"("message":")", R"(","type":)");
  erase_each(output, "content-length:", "\r\n");
  for (const std::string_view status :
       {"413 Content Too Large", "431 Request Header Fields Too Large"}) {
    replace_each(output, status, "400 Bad Request");
  }
  for (const std::string_view code : {"REQUEST_TOO_LARGE", "HEADERS_TOO_LARGE"}) {
    replace_each(output, code, "INVALID_REQUEST");
  }
  return output;
}

std::string show(const FakeCall& call) {
  std::string text = call.operation + " " + call.content_type + "\n";
  for (const auto& [name, value] : call.metadata) text.append(name).append(": " + value + "\n");
  return text + call.body + "\n";
}

class Client {
 public:
  explicit Client(FakeHost& host) : host_(host), connection_(host.connect()) {}

  bool send(std::string_view bytes) {
    connection_.data(bytes);
    answer_all(host_);
    return !connection_.closed && !connection_.aborted;
  }
  std::string end() {
    connection_.end();
    answer_all(host_);
    std::string text = without_reasons(connection_.output);
    connection_.leave();
    host_.run_posted();
    for (const FakeCall& call : host_.calls) {
      expect(call.released == 1, "a call was not released once");
      const bool is_answered = call.sequence != 0;  // or its body turned out to be wrong
      if (is_answered) text += show(call);
    }
    host_.calls.clear();
    return text;
  }

 private:
  FakeHost& host_;
  bp_connection& connection_;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces pieces(data, size);
  if (pieces.whole().substr(0, kHttp2Preface.size()) == kHttp2Preface) return 0;
  FakeHost& host = host_for_one_run();
  Client whole(host);
  whole.send(pieces.whole());
  const std::string at_once = whole.end();
  Client cut(host);
  pieces.each([&](std::string_view piece) { return cut.send(piece); });
  expect_same(at_once, cut.end(), "what is answered depends on where the bytes are cut");
  return 0;
}
