// SPDX-License-Identifier: Apache-2.0
// The library inside another program: its C API, two runtimes at once, clean ends.
#include "runtime/include/backplane/embed.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

namespace backplane {
namespace {

constexpr char kEcho[] = R"(transports:
  http: {uses: http, settings: {listen: "127.0.0.1:0"}}
backends: {echo: {uses: echo}}
models: {echo: {routes: [{backend: echo}]}}
)";

class Embed : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "backplane-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write_file(const std::string& yaml) const {
    const std::string file = folder_ / "deploy.yaml";
    std::ofstream(file) << yaml;
    return file;
  }

  std::filesystem::path folder_;
};

std::uint16_t port_of(const bp_runtime* runtime) {
  std::string address;
  bp_runtime_addresses(
      runtime, [](void* out, bp_str text) { *static_cast<std::string*>(out) = view(text); },
      &address);
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

// Sends one request and reads until the server closes.
std::string talk(std::uint16_t port, const std::string& request) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    EXPECT_EQ(send(descriptor, request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(descriptor, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(descriptor);
  return answer;
}

std::string get(std::uint16_t port, const std::string& path) {
  return talk(port, "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
}

std::string post(std::uint16_t port, const std::string& path, const std::string& body) {
  return talk(port, "POST " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" +
                        "Content-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
}

TEST_F(Embed, two_runtimes_serve_and_end_independently) {
  const std::string file = write_file(kEcho);
  bp_runtime* first = nullptr;
  bp_runtime* second = nullptr;
  bp_error error{};
  ASSERT_EQ(bp_runtime_start(file.c_str(), nullptr, nullptr, &first, &error), BP_CODE_OK)
      << error.message;
  ASSERT_EQ(bp_runtime_start(file.c_str(), nullptr, nullptr, &second, &error), BP_CODE_OK)
      << error.message;
  const std::uint16_t first_port = port_of(first);
  const std::uint16_t second_port = port_of(second);
  ASSERT_NE(first_port, second_port);
  EXPECT_NE(get(first_port, "/v1/models").find("\"echo\""), std::string::npos);
  bp_runtime_stop(first);
  EXPECT_EQ(get(first_port, "/health"), "");
  EXPECT_NE(get(second_port, "/ready").find("200"), std::string::npos);
  bp_runtime_stop(second);
}

TEST_F(Embed, every_error_of_the_file_is_told) {
  std::string lines;
  bp_runtime* runtime = nullptr;
  bp_error error{};
  const std::string file = write_file("transports: {http: {uses: htp}}\nbackend: {}\n");
  EXPECT_EQ(bp_runtime_start(
                file.c_str(),
                [](void* out, bp_str line) {
                  static_cast<std::string*>(out)->append(view(line)).append("\n");
                },
                &lines, &runtime, &error),
            BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(runtime, nullptr);
  EXPECT_NE(lines.find("did you mean \"http\""), std::string::npos) << lines;
  EXPECT_NE(lines.find("did you mean \"backends\""), std::string::npos) << lines;
  EXPECT_NE(error.message[0], '\0');
}

TEST_F(Embed, a_start_that_fails_leaves_nothing_behind) {
  const std::string taken = write_file(kEcho);
  bp_runtime* first = nullptr;
  bp_runtime* second = nullptr;
  bp_error error{};
  ASSERT_EQ(bp_runtime_start(taken.c_str(), nullptr, nullptr, &first, &error), BP_CODE_OK);
  std::string yaml = kEcho;
  yaml.replace(yaml.find("127.0.0.1:0"), 11, "127.0.0.1:" + std::to_string(port_of(first)));
  const std::string file = write_file(yaml);
  EXPECT_NE(bp_runtime_start(file.c_str(), nullptr, nullptr, &second, &error), BP_CODE_OK);
  EXPECT_NE(std::string(error.message).find("in use"), std::string::npos) << error.message;
  bp_runtime_stop(first);
}

TEST_F(Embed, a_backend_that_offers_no_operation_stops_the_start) {
  std::string yaml = kEcho;
  yaml.replace(yaml.find("{uses: echo}"), 12, "{uses: stubborn, settings: {go: -1, done: -1}}");
  yaml += "plugins: {path: [\"" TEST_PLUGINS "\"]}\nlog: {level: \"off\"}\n";
  bp_runtime* runtime = nullptr;
  bp_error error{};
  EXPECT_EQ(bp_runtime_start(write_file(yaml).c_str(), nullptr, nullptr, &runtime, &error),
            BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(runtime, nullptr);
  const std::string message = error.message;
  EXPECT_NE(message.find("backends.echo: describe: operations: expected"), std::string::npos)
      << message;
}

// What it emits after the end finds all that it was given still there.
TEST_F(Embed, a_backend_that_hears_no_cancel_is_left_alone) {
  int go[2], done[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(done), 0);
  const auto emit = [&] {
    char byte = 0;
    return write(go[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1;
  };
  std::string yaml = kEcho;
  yaml.replace(yaml.find("{uses: echo}"), 12,
               "{uses: stubborn, settings: {go: " + std::to_string(go[0]) +
                   ", done: " + std::to_string(done[1]) + "}}");
  yaml += "plugins: {path: [\"" TEST_PLUGINS "\"]}\nlimits: {drain_ms: 0}\nlog: {level: \"off\"}\n";
  bp_runtime* runtime = nullptr;
  bp_error error{};
  ASSERT_EQ(bp_runtime_start(write_file(yaml).c_str(), nullptr, nullptr, &runtime, &error),
            BP_CODE_OK)
      << error.message;
  const std::uint16_t port = port_of(runtime);
  std::string answer;
  std::thread client([&] {
    answer = post(port, "/v1/chat/completions",
                  R"({"model":"echo","messages":[{"role":"user","content":"hi"}],"stream":true})");
  });
  EXPECT_TRUE(emit());  // returns once the call runs
  bp_runtime_stop(runtime);
  client.join();
  EXPECT_NE(answer.find("SHUTTING_DOWN"), std::string::npos) << answer;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(emit());
}

}  // namespace
}  // namespace backplane
