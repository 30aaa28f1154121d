// SPDX-License-Identifier: Apache-2.0
// The client against the listener, over TLS.
#include <gtest/gtest.h>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/fetch.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::Certificate;
using testing::Fetch;
using testing::HttpWorld;
using testing::Outcome;
using testing::response_with;
using testing::World;

class HttpTls : public ::testing::Test {
 protected:
  // Serves `response` to every request, with a certificate for `host`.
  std::uint32_t serve(const std::string& host, std::string response = response_with("secret")) {
    certificate_ = std::make_unique<Certificate>(host);
    server_.transport.on_data = [this, response](auto* connection, auto) {
      server_.transport.write(connection, response);
      if (closes_) server_.net->table()->close(connection);
    };
    return server_.net->table()->port(
        server_.transport.listen(0, certificate_->certificate(), certificate_->key()));
  }
  Outcome fetch(const std::string& host, std::uint32_t port, bool trusts = true) {
    HttpClientOptions options;
    if (trusts) options.ca_file = certificate_->certificate();
    HttpWorld world(options);
    const std::string url = "https://" + host + ":" + std::to_string(port) + "/";
    const Outcome first = Fetch(world, url).get();
    if (first.done == 0) return first;
    EXPECT_TRUE(Fetch(world, url).get().body == first.body);
    return first;
  }

  World server_;
  std::unique_ptr<Certificate> certificate_;
  bool closes_ = false;
};

TEST_F(HttpTls, FetchesAndKeepsTheConnection) {
  EXPECT_EQ(fetch("localhost", serve("localhost")).body, "secret");
  EXPECT_EQ(server_.transport.happened.get().accepted, 1);
}

TEST_F(HttpTls, FetchesByAddress) {
  EXPECT_EQ(fetch("127.0.0.1", serve("127.0.0.1")).body, "secret");
}

TEST_F(HttpTls, FetchesMegabytes) {
  const std::string big(5'000'000, 'b');
  EXPECT_TRUE(fetch("localhost", serve("localhost", response_with(big))).body == big);
}

TEST_F(HttpTls, TakesAFarewellForTheEndOfABodyWithoutLength) {
  closes_ = true;
  EXPECT_EQ(fetch("localhost", serve("localhost", "HTTP/1.1 200 OK\r\n\r\nall")).body, "all");
}

TEST_F(HttpTls, RefusesASelfSignedCertificate) {
  const Outcome outcome = fetch("localhost", serve("localhost"), false);
  EXPECT_EQ(outcome.code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(outcome.message, "the upstream's certificate was refused: self-signed certificate");
  EXPECT_EQ(server_.transport.happened.get().received, "");
}

TEST_F(HttpTls, RefusesAnotherHostsCertificate) {
  const Outcome by_name = fetch("localhost", serve("other.example"));
  EXPECT_EQ(by_name.message, "the upstream's certificate was refused: hostname mismatch");
  const Outcome by_address = fetch("127.0.0.1", serve("localhost"));
  EXPECT_EQ(by_address.message, "the upstream's certificate was refused: IP address mismatch");
}

TEST_F(HttpTls, RefusesAPeerWithoutTls) {
  const testing::ScriptedServer plain([](testing::RawSocket& peer, int) {
    peer.receive(1);
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  HttpWorld world;
  const auto url = "https://127.0.0.1:" + std::to_string(plain.port());
  const Outcome outcome = Fetch(world, url).get();
  EXPECT_EQ(outcome.code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(outcome.message, "the TLS handshake with the upstream failed");
}

TEST_F(HttpTls, NamesAnUnreadableFileOfAuthorities) {
  const auto loops = std::move(*Loops::start(1));
  HttpClientOptions options;
  options.ca_file = "/nowhere/ca.pem";
  const auto client = HttpClient::create(*loops, options);
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace backplane
