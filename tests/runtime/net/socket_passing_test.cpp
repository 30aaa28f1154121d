// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/socket_passing.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/temporary_folder.hpp"

namespace backplane {
namespace {

using testing::RawSocket;
using testing::TemporaryFolder;
using testing::World;

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near = ends[0];
    far = ends[1];
  }
  ~Pair() {
    close(near);
    close(far);
  }
  int near = -1, far = -1;
};

// What one process does to another, through a real socket.
std::vector<ListeningSockets> pass(const std::vector<ListeningSockets>& sockets) {
  const Pair pair;
  std::thread sender([&] { EXPECT_TRUE(send_sockets(pair.near, sockets)); });
  auto received = receive_sockets(pair.far);
  sender.join();
  EXPECT_TRUE(received) << received.error().message;
  return received ? *received : std::vector<ListeningSockets>();
}

void serve_echo(World& world) {
  world.transport.on_data = [&](auto* connection, auto bytes) {
    world.transport.write(connection, bytes);
  };
}

void expect_echo(RawSocket client) {
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
}

TEST(SocketPassing, AnotherRuntimeTakesOverEveryAddress) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  // More loops, as many, fewer.
  for (const std::uint32_t loops : {1u, 2u, 5u}) {
    auto old = std::make_unique<World>(2);
    const auto port = old->net->table()->port(old->transport.listen());
    old->transport.listen(0, {}, {}, "unix:" + path);
    const std::string address = "127.0.0.1:" + std::to_string(port);

    World next(loops);
    serve_echo(next);
    next.net->adopt(pass(old->net->listening_sockets()));
    bp_listener* listener = next.transport.listen(0, {}, {}, address);
    next.transport.listen(0, {}, {}, "unix:" + path);
    EXPECT_EQ(next.net->table()->port(listener), port);
    EXPECT_EQ(next.net->listening_sockets()[0].descriptors.size(), 2u);
    EXPECT_EQ(next.net->listening_sockets()[1].descriptors.size(), 1u);
    next.net->drop_unused();
    old.reset();
    for (int count = 0; count < 20; ++count) {
      expect_echo(RawSocket::connect_to(port));
      expect_echo(RawSocket::connect_to_path(path));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SocketPassing, WhatWaitsInTheBacklogIsServedByTheOther) {
  auto old = std::make_unique<World>();
  bp_listener* listener = old->transport.listen(1);
  const auto port = old->net->table()->port(listener);
  auto first = RawSocket::connect_to(port);
  ASSERT_TRUE(old->transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
  auto waiting = RawSocket::connect_to(port);
  World next;
  serve_echo(next);
  next.net->adopt(pass(old->net->listening_sockets()));
  old.reset();
  next.transport.listen(0, {}, {}, "127.0.0.1:" + std::to_string(port));
  expect_echo(std::move(waiting));
}

TEST(SocketPassing, WhatIsNotUsedIsClosed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  World next;
  std::uint32_t port = 0;
  {
    World old(2);
    port = old.net->table()->port(old.transport.listen());
    old.transport.listen(0, {}, {}, "unix:" + path);
    next.net->adopt(pass(old.net->listening_sockets()));
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  next.net->drop_unused();
  EXPECT_FALSE(std::filesystem::exists(path));
  next.transport.listen(0, {}, {}, "127.0.0.1:" + std::to_string(port));
}

TEST(SocketPassing, CarriesMoreThanOneMessageHolds) {
  World world;
  world.transport.listen();
  ListeningSockets many = world.net->listening_sockets()[0];
  many.descriptors.resize(600, many.descriptors[0]);
  const auto received = pass({many, many});
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].address, many.address);
  EXPECT_EQ(received[0].descriptors.size(), 1200u);
  const OwnedDescriptors closing(received[0].descriptors);
  EXPECT_EQ(fcntl(received[0].descriptors[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

int open_descriptors() {
  int count = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    count += fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  }
  return count;
}

TEST(SocketPassing, RefusesWhatListensElsewhereOrNowhere) {
  World world;
  world.transport.listen();
  ListeningSockets elsewhere = world.net->listening_sockets()[0];
  elsewhere.address = "127.0.0.1:1";
  const Pair pair;
  const int before = open_descriptors();
  for (const ListeningSockets& wrong : {elsewhere, ListeningSockets{"127.0.0.1:1", {pair.near}}}) {
    const Pair way;
    const std::vector<ListeningSockets> sent = {world.net->listening_sockets()[0], wrong};
    ASSERT_TRUE(send_sockets(way.near, sent));
    const auto received = receive_sockets(way.far);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(SocketPassing, RefusesAnotherLanguage) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(64, '\0')}) {
    const Pair pair;
    ASSERT_EQ(write(pair.near, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(receive_sockets(pair.far).error().code, Code::kUnavailable);
  }
}

TEST(SocketPassing, EndsWhenTheOtherIsSilentOrGone) {
  const Pair pair;
  EXPECT_EQ(receive_sockets(pair.far, 30).error().code, Code::kDeadlineExceeded);
  shutdown(pair.near, SHUT_WR);
  EXPECT_EQ(receive_sockets(pair.far).error().code, Code::kUnavailable);
  shutdown(pair.far, SHUT_RD);
  World world;
  world.transport.listen();
  EXPECT_FALSE(send_sockets(pair.near, world.net->listening_sockets()));
}

}  // namespace
}  // namespace backplane
