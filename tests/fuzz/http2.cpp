// SPDX-License-Identifier: Apache-2.0
// Frames of an HTTP/2 client through the transport: whatever they are, what comes back is frames,
// not many more than went in, and every call is released once.
#include <string>

#include "tests/fuzz/answers.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using test::FakeCall;
using test::FakeHost;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kSettingsFrame("\0\0\0\4\0\0\0\0\0", 9);
constexpr std::size_t kFrameHeadBytes = 9;
constexpr std::size_t kFrameMaxBytes = 16384;
constexpr std::size_t kAnswerPerByte = 128;  // a request of few bytes may have an answer

void append_frame(std::string& out, std::uint8_t type, std::uint8_t flags, std::uint8_t stream,
                  std::string_view payload) {
  out += '\0';
  out += static_cast<char>(payload.size() >> 8);
  out += static_cast<char>(payload.size() & 0xff);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out.append(3, '\0');
  out += static_cast<char>(stream);
  out += payload;
}

// Of "type flags stream size payload" again and again; the type 255 begins bytes that stay as they
// are.
std::string frames_of(std::string_view input) {
  std::string out = std::string(kPreface) + std::string(kSettingsFrame);
  while (input.size() >= 4) {
    if (input[0] == '\xff') return out + std::string(input.substr(1));
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(input[at]); };
    const std::string_view payload = input.substr(4, byte(3));
    append_frame(out, byte(0), byte(1), byte(2), payload);
    input.remove_prefix(4 + payload.size());
  }
  return out;
}

void check_frames(std::string_view output) {
  while (!output.empty()) {
    expect(output.size() >= kFrameHeadBytes, "half a frame was written");
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(output[at]); };
    const std::size_t size = std::size_t{byte(0)} << 16 | std::size_t{byte(1)} << 8 | byte(2);
    expect(size <= kFrameMaxBytes, "a frame that no client has to take");
    expect(output.size() >= kFrameHeadBytes + size, "half a frame was written");
    output.remove_prefix(kFrameHeadBytes + size);
  }
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces input(data, size);
  std::string frames = frames_of(input.whole());
  frames += size == 0 ? '\0' : static_cast<char>(data[size - 1]);
  const Pieces pieces(reinterpret_cast<const std::uint8_t*>(frames.data()), frames.size());
  FakeHost& host = host_for_one_run();
  bp_connection& connection = host.connect();
  pieces.each([&](std::string_view piece) {
    connection.data(piece);
    answer_all(host);
    return !connection.closed && !connection.aborted;
  });
  connection.end();
  answer_all(host);
  check_frames(connection.output);
  expect(connection.output.size() < kFrameMaxBytes + kAnswerPerByte * frames.size(),
         "much more was written than came");
  connection.leave();
  host.run_posted();
  for (const FakeCall& call : host.calls) expect(call.released == 1, "a call not released once");
  host.calls.clear();
  return 0;
}
