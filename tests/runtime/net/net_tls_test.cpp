// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstring>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/tls_client.hpp"

namespace backplane {
namespace {

using testing::Certificate;
using testing::RawSocket;
using testing::TlsClient;
using testing::World;

class NetTlsTest : public ::testing::Test {
 protected:
  NetTlsTest() {
    listener_ = world_.transport.listen(0, certificate_.certificate(), certificate_.key());
    world_.transport.on_data = [&](auto* connection, auto bytes) {
      if (world_.transport.write(connection, bytes) == BP_FLOW_PAUSE) net_.pause(connection);
    };
    world_.transport.on_drained = [&](auto* connection) { net_.resume(connection); };
    world_.transport.on_end = [&](auto* connection) { net_.close(connection); };
  }
  std::uint32_t port() const { return net_.port(listener_); }

  const Certificate certificate_{"localhost"};
  World world_;
  const bp_net& net_ = *world_.net->table();
  bp_listener* listener_ = nullptr;
};

TEST_F(NetTlsTest, EchoesWithHttp11Negotiated) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(RawSocket::connect_to(port()), version);
    ASSERT_TRUE(client.connect());
    EXPECT_EQ(SSL_version(client.session()), version);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.session(), &protocol, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), "http/1.1");
    ASSERT_TRUE(client.send("hello"));
    EXPECT_EQ(client.receive(5), "hello");
    SSL_shutdown(client.session());
    EXPECT_EQ(client.receive(1), "");
    EXPECT_EQ(SSL_get_shutdown(client.session()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  }
}

TEST_F(NetTlsTest, EchoesMegabytesPastAFullSocket) {
  TlsClient client(RawSocket::connect_to(port()));
  ASSERT_TRUE(client.connect());
  std::string part;
  while (part.size() < 1'000'000) part += std::to_string(part.size()) + ",";
  // Half duplex by turns: the echo of a part is read after the part was sent.
  for (int turn = 0; turn < 4; ++turn) {
    ASSERT_TRUE(client.send(part));
    ASSERT_TRUE(client.receive(part.size()) == part);
  }
}

TEST_F(NetTlsTest, RefusesOldVersionsAndPlainText) {
  TlsClient old(RawSocket::connect_to(port()), TLS1_1_VERSION);
  EXPECT_FALSE(old.connect());
  auto plain = RawSocket::connect_to(port());
  plain.send("GET / HTTP/1.1\r\n\r\n");
  plain.receive_all();
  EXPECT_EQ(world_.transport.happened.get().accepted, 0);
}

TEST_F(NetTlsTest, NegotiatesWhatTheServerPrefers) {
  // The client offers h2 and then http/1.1.
  const struct {
    const char* offered;
    const char* chosen;
  } cases[] = {{"h2,http/1.1", "h2"},
               {"http/1.1,h2", "http/1.1"},
               {"x,http/1.1", "http/1.1"},
               {"x,y", nullptr}};
  for (const auto& each : cases) {
    bp_listen_options options{};
    options.struct_size = sizeof(options);
    options.address = {"127.0.0.1:0", 11};
    const std::string certificate = certificate_.certificate(), key = certificate_.key();
    options.tls_certificate = {certificate.data(), certificate.size()};
    options.tls_key = {key.data(), key.size()};
    options.alpn = {each.offered, std::strlen(each.offered)};
    bp_listener* listener = world_.transport.listen_with(options);
    TlsClient client(RawSocket::connect_to(net_.port(listener)));
    ASSERT_EQ(client.connect(), each.chosen != nullptr) << each.offered;
    if (each.chosen == nullptr) continue;
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.session(), &protocol, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), each.chosen);
  }
}

TEST_F(NetTlsTest, ClosingTheListenerDropsUnfinishedHandshakes) {
  auto half = RawSocket::connect_to(port());
  TlsClient whole(RawSocket::connect_to(port()));
  ASSERT_TRUE(whole.connect());
  ASSERT_TRUE(whole.send("x"));
  ASSERT_EQ(whole.receive(1), "x");
  ASSERT_EQ(world_.net->connection_count(), 2u);
  net_.close_listener(listener_);
  EXPECT_TRUE(half.is_ended());
  ASSERT_TRUE(whole.send("y"));
  EXPECT_EQ(whole.receive(1), "y");
}

}  // namespace
}  // namespace backplane
