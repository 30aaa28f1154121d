// SPDX-License-Identifier: Apache-2.0
// What listen refuses, and what it says.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"

namespace backplane {
namespace {

using testing::Certificate;
using testing::RawListener;
using testing::RawSocket;
using testing::World;

bp_str str(const std::string& text) {
  return {text.data(), text.size()};
}

bp_error refused(const World& world, const std::string& address,
                 const std::string& certificate = {}, const std::string& key = {}) {
  const bp_net& net = *world.net->table();
  bp_listen_options options{sizeof(options), 0, str(address), str(certificate), str(key), {}, 0, 0};
  bp_listen_handler handler{sizeof(handler), 0, nullptr, nullptr};
  bp_listener* listener = nullptr;
  bp_error error{};
  EXPECT_NE(net.listen(net.context, &options, &handler, &listener, &error), BP_CODE_OK) << address;
  EXPECT_EQ(listener, nullptr);
  EXPECT_EQ(net.listen(net.context, &options, &handler, &listener, nullptr), error.code);
  return error;
}

TEST(Listen, RefusesWhatIsNoAddress) {
  const World world;
  for (const char* address : {"", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:",
                              "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:8080x",
                              "[::1:8080", "[]:8080", "[127.0.0.1]:8080", "1.2.3:80"}) {
    const bp_error error = refused(world, address);
    EXPECT_EQ(error.code, BP_CODE_INVALID_ARGUMENT) << address;
    EXPECT_NE(std::strstr(error.message, "127.0.0.1:8080"), nullptr) << error.message;
  }
}

TEST(Listen, NamesAPortInUseAndTheRemedy) {
  const World world(2);
  const RawListener other;
  const std::string address = "127.0.0.1:" + std::to_string(other.port());
  const bp_error error = refused(world, address);
  EXPECT_EQ(error.code, BP_CODE_ALREADY_EXISTS);
  EXPECT_EQ(std::string(error.message),
            "cannot listen on " + address +
                ": address in use; stop the other program or listen on another port");
}

TEST(Listen, DoesNotShareItsPortWithAnotherRuntime) {
  World one(2);
  const World other(2);
  const auto port = one.net->table()->port(one.transport.listen());
  const bp_error error = refused(other, "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(error.code, BP_CODE_ALREADY_EXISTS);
}

TEST(Listen, NamesAnAddressOfAnotherMachine) {
  const World world;
  const bp_error error = refused(world, "192.0.2.1:0");
  EXPECT_NE(std::strstr(error.message, "no such address"), nullptr) << error.message;
}

TEST(Listen, NamesAPrivilegedPort) {
  if (geteuid() == 0) GTEST_SKIP() << "root may listen on every port";
  const World world;
  const bp_error error = refused(world, "127.0.0.1:1");
  EXPECT_EQ(error.code, BP_CODE_PERMISSION_DENIED);
}

TEST(Listen, NamesTheCertificateItCannotUse) {
  const World world;
  const Certificate good("localhost"), other("localhost");
  const std::string missing = good.certificate() + ".missing";
  EXPECT_NE(
      std::strstr(refused(world, "127.0.0.1:0", missing, good.key()).message, missing.c_str()),
      nullptr);
  EXPECT_NE(std::strstr(refused(world, "127.0.0.1:0", good.certificate(), missing).message,
                        missing.c_str()),
            nullptr);
  const bp_error mismatch = refused(world, "127.0.0.1:0", good.certificate(), other.key());
  EXPECT_NE(std::strstr(mismatch.message, "mismatch"), nullptr) << mismatch.message;
  const bp_error half = refused(world, "127.0.0.1:0", good.certificate());
  EXPECT_NE(std::strstr(half.message, "both"), nullptr) << half.message;
}

TEST(Listen, ServesIPv6) {
  World world;
  bp_listener* listener = world.transport.listen(0, {}, {}, "[::1]:0");
  const auto client = RawSocket::connect_to(world.net->table()->port(listener), 0, true);
  ASSERT_TRUE(world.transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
  world.run([&] {
    const bp_str peer = world.net->table()->peer(world.transport.happened.get().connection);
    EXPECT_EQ(std::string(peer.data, 6), "[::1]:");
  });
}

TEST(Listen, AcceptsOnEveryLoop) {
  World world(2);
  const bp_net& net = *world.net->table();
  testing::Watched<std::array<int, 2>> per_loop;
  world.transport.on_accepted = [&](bp_connection* connection) {
    per_loop.update([&](auto& counts) { ++counts[net.loop(connection) == world.loop(1) ? 1 : 0]; });
  };
  const auto port = net.port(world.transport.listen());
  std::vector<RawSocket> clients;
  for (int count = 0; count < 64; ++count) clients.push_back(RawSocket::connect_to(port));
  ASSERT_TRUE(world.transport.happened.wait([](const auto& h) { return h.accepted == 64; }));
  EXPECT_GT(per_loop.get()[0], 0);
  EXPECT_GT(per_loop.get()[1], 0);
  EXPECT_EQ(world.net->connection_count(), 64u);
}

// Lets no descriptor be opened while it lives.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Listen, OutlivesAWantOfDescriptors) {
  World world;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<std::uint16_t>(world.net->table()->port(world.transport.listen())));
  const RawSocket client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const NoMoreDescriptors limit;
    ASSERT_EQ(connect(client.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
              0);
    world.run([] {});
    world.run([] {});
    EXPECT_EQ(world.transport.happened.get().accepted, 0);
  }
  EXPECT_TRUE(world.transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
}

}  // namespace
}  // namespace backplane
