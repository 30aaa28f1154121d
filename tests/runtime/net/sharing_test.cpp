// SPDX-License-Identifier: Apache-2.0
// One address, several listeners: what one leaves behind the others accept.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/temporary_folder.hpp"
#include "tests/runtime/net/tls_client.hpp"

namespace backplane {
namespace {

using testing::RawSocket;
using testing::World;

std::string of_port(std::uint32_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

void echo(World& world) {
  world.transport.on_data = [&](auto* connection, auto bytes) {
    world.transport.write(connection, bytes);
  };
  world.transport.on_end = [&](auto* connection) { world.transport.net.close(connection); };
}

// Connects, and asks for an echo, until told to stop; each must be answered.
class Clients {
 public:
  Clients(int count, std::function<RawSocket()> connect) : connect_(std::move(connect)) {
    for (int index = 0; index < count; ++index) threads_.emplace_back([this] { run(); });
  }
  ~Clients() { stop(); }
  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int served() const { return served_; }
  int lost() const { return lost_; }

 private:
  void run() {
    while (!stopping_) {
      RawSocket client = connect_();
      const bool answered = client.send("hello") && client.receive(5) == "hello";
      ++(answered ? served_ : lost_);
      client.reset();  // leaves no port behind in TIME_WAIT
    }
  }

  const std::function<RawSocket()> connect_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> served_{0}, lost_{0};
  std::vector<std::thread> threads_;
};

void swap_listeners(World& world, bp_listener* listener, const std::string& address,
                    const Clients& clients) {
  constexpr int kSwaps = 200;
  for (int swap = 0; swap < kSwaps; ++swap) {
    bp_listener* next = world.transport.listen(0, {}, {}, address);
    world.net->table()->close_listener(listener);
    listener = next;
    const int before = clients.served();
    while (clients.served() < before + 2 && clients.lost() == 0) std::this_thread::yield();
  }
}

TEST(Sharing, NoConnectionIsLostWhileListenersAreSwapped) {
  World world(2);
  echo(world);
  bp_listener* first = world.transport.listen();
  const std::uint32_t port = world.net->table()->port(first);
  Clients clients(4, [&] { return RawSocket::connect_to(port); });
  swap_listeners(world, first, of_port(port), clients);
  clients.stop();
  EXPECT_EQ(clients.lost(), 0) << "of " << clients.served();
  EXPECT_GE(clients.served(), 400);
}

TEST(Sharing, NorOnAPath) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("socket");
  World world(2);
  echo(world);
  bp_listener* first = world.transport.listen(0, {}, {}, "unix:" + path);
  Clients clients(4, [&] { return RawSocket::connect_to_path(path); });
  swap_listeners(world, first, "unix:" + path, clients);
  clients.stop();
  EXPECT_EQ(clients.lost(), 0) << "of " << clients.served();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Sharing, TheOtherAcceptsWhicheverIsClosed) {
  for (const bool closes_the_first : {true, false}) {
    World world(2);
    echo(world);
    const bp_net& net = *world.net->table();
    bp_listener* first = world.transport.listen();
    const std::uint32_t port = net.port(first);
    bp_listener* second = world.transport.listen(0, {}, {}, of_port(port));
    EXPECT_EQ(net.port(second), port);
    EXPECT_EQ(world.net->listening_sockets().size(), 1u);
    net.close_listener(closes_the_first ? first : second);
    for (int count = 0; count < 20; ++count) {
      auto client = RawSocket::connect_to(port);
      client.send("x");
      EXPECT_EQ(client.receive(1), "x");
    }
    net.close_listener(closes_the_first ? second : first);
    EXPECT_TRUE(world.net->listening_sockets().empty());
    World other;
    other.transport.listen(0, {}, {}, of_port(port));
  }
}

TEST(Sharing, AnyPortIsAlwaysAnother) {
  World world;
  const bp_net& net = *world.net->table();
  EXPECT_NE(net.port(world.transport.listen()), net.port(world.transport.listen()));
}

TEST(Sharing, AHandshakeBegunGoesToTheListenerThatIsLeft) {
  const testing::Certificate certificate("localhost");
  World world;
  const bp_net& net = *world.net->table();
  bp_listener* first = world.transport.listen(1, certificate.certificate(), certificate.key());
  const std::string address = of_port(net.port(first));
  auto half = RawSocket::connect_to(net.port(first));
  while (world.net->connection_count() == 0) std::this_thread::yield();
  bp_listener* second =
      world.transport.listen(1, certificate.certificate(), certificate.key(), address);
  net.close_listener(first);
  testing::TlsClient client(std::move(half));
  ASSERT_TRUE(client.connect());
  ASSERT_TRUE(world.transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
  world.run([&] { net.abort(world.transport.happened.get().connection); });
  // The limit of one counts what was taken over, and forgets it.
  testing::TlsClient next(RawSocket::connect_to(net.port(second)));
  EXPECT_TRUE(next.connect());
}

}  // namespace
}  // namespace backplane
