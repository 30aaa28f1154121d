// SPDX-License-Identifier: Apache-2.0
// Connections that come through a balancer.
#include <gtest/gtest.h>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/proxy_bytes.hpp"
#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/tls_client.hpp"

namespace backplane {
namespace {

using testing::proxy_header;
using testing::RawSocket;
using testing::tcp4_addresses;
using testing::TlsClient;
using testing::World;

const std::string kHeader = proxy_header(0x21, 0x11, tcp4_addresses());

class ProxyListen : public ::testing::Test {
 protected:
  RawSocket connect(const std::string& certificate = {}, const std::string& key = {}) {
    bp_listen_options options{};
    options.struct_size = sizeof(options);
    options.address = {"127.0.0.1:0", 11};
    options.tls_certificate = {certificate.data(), certificate.size()};
    options.tls_key = {key.data(), key.size()};
    options.flags = BP_LISTEN_PROXY_PROTOCOL;
    if (listener_ == nullptr) listener_ = world_.transport.listen_with(options);
    world_.transport.on_data = [&](auto* connection, auto bytes) {
      const bp_str peer = net_.peer(connection);
      world_.transport.write(connection, std::string(peer.data, peer.size) + " says ");
      world_.transport.write(connection, bytes);
      net_.close(connection);
    };
    return RawSocket::connect_to(net_.port(listener_));
  }

  World world_;
  const bp_net& net_ = *world_.net->table();
  bp_listener* listener_ = nullptr;
};

TEST_F(ProxyListen, TellsTheConveyedAddress) {
  auto client = connect();
  client.send(kHeader + "hello");
  EXPECT_EQ(client.receive_all(), "192.0.2.7:40000 says hello");
}

TEST_F(ProxyListen, WaitsForEachByte) {
  auto client = connect();
  for (const char byte : kHeader) {
    client.send({&byte, 1});
    world_.run([] {});
    EXPECT_EQ(world_.transport.happened.get().accepted, 0);
  }
  ASSERT_TRUE(world_.transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
  client.send("hello");
  EXPECT_EQ(client.receive_all(), "192.0.2.7:40000 says hello");
}

TEST_F(ProxyListen, TellsTheSocketsOwnAddressWhereNoneIsNamed) {
  for (const std::string& header : {proxy_header(0x20, 0, ""), proxy_header(0x21, 0, "")}) {
    auto client = connect();
    client.send(header + "hello");
    EXPECT_EQ(client.receive_all().substr(0, 10), "127.0.0.1:");
  }
}

TEST_F(ProxyListen, ComesBeforeTls) {
  const testing::Certificate certificate("localhost");
  auto socket = connect(certificate.certificate(), certificate.key());
  ASSERT_TRUE(socket.send(kHeader));
  TlsClient client(std::move(socket));
  ASSERT_TRUE(client.connect());
  ASSERT_TRUE(client.send("hello"));
  EXPECT_EQ(client.receive(26), "192.0.2.7:40000 says hello");
}

TEST_F(ProxyListen, ClosesWhatBeginsOtherwise) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"),
                                   std::string("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n"),
                                   proxy_header(0x21, 0x12, tcp4_addresses())}) {
    auto client = connect();
    client.send(bytes);
    EXPECT_TRUE(client.is_ended());
  }
  auto early = connect();
  early.send(kHeader.substr(0, 20));
  early.finish_sending();
  EXPECT_TRUE(early.is_ended());
  auto silent = connect();
  silent.finish_sending();
  EXPECT_TRUE(silent.is_ended());
  EXPECT_EQ(world_.transport.happened.get().accepted, 0);
}

TEST_F(ProxyListen, ServesAClientThatHasLeftOffSending) {
  auto client = connect();
  client.send(kHeader + "hello");
  client.finish_sending();
  EXPECT_EQ(client.receive_all(), "192.0.2.7:40000 says hello");
}

}  // namespace
}  // namespace backplane
