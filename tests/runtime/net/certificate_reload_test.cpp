// SPDX-License-Identifier: Apache-2.0
// Certificates that change while they are in use.
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/runtime/net/certificates.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/temporary_folder.hpp"
#include "tests/runtime/net/tls_client.hpp"

namespace backplane {
namespace {

namespace fs = std::filesystem;
using testing::Certificate;
using testing::RawSocket;
using testing::TlsClient;
using testing::World;

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::string served_to(TlsClient& client) {
  X509* certificate = SSL_get1_peer_certificate(client.session());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EXPECT_EQ(X509_digest(certificate, EVP_sha256(), digest, &size), 1);
  X509_free(certificate);
  return {reinterpret_cast<const char*>(digest), size};
}

class CertificateReload : public ::testing::Test {
 protected:
  CertificateReload() : world_(2) {
    install(first_);
    listener_ = world_.transport.listen(0, certificate_, key_);
    world_.transport.on_data = [&](auto* connection, auto bytes) {
      world_.transport.write(connection, bytes);
    };
  }
  void install(const Certificate& next) {
    write(certificate_, content_of(next.certificate()));
    write(key_, content_of(next.key()));
  }
  // Every loop's; the same answer from all.
  std::string served() {
    std::string one;
    for (int count = 0; count < 16; ++count) {
      TlsClient client(RawSocket::connect_to(world_.net->table()->port(listener_)));
      EXPECT_TRUE(client.connect());
      const std::string other = served_to(client);
      EXPECT_TRUE(one.empty() || one == other);
      one = other;
    }
    return one;
  }

  const Certificate first_{"localhost"}, second_{"localhost"};
  const testing::TemporaryFolder folder_;
  const std::string certificate_ = folder_.file("certificate.pem"), key_ = folder_.file("key.pem");
  World world_;
  bp_listener* listener_ = nullptr;
};

TEST_F(CertificateReload, NewConnectionsGetTheNewOneAndOldOnesLive) {
  TlsClient old(RawSocket::connect_to(world_.net->table()->port(listener_)));
  ASSERT_TRUE(old.connect());
  const std::string before = served();
  install(second_);
  EXPECT_EQ(served(), before);
  EXPECT_TRUE(world_.net->reload_certificates().empty());
  EXPECT_NE(served(), before);
  ASSERT_TRUE(old.send("hello"));
  EXPECT_EQ(old.receive(5), "hello");
}

TEST_F(CertificateReload, KeepsTheOldOneWhileTheFilesAreNotWhole) {
  const std::string before = served();
  const std::string whole = content_of(second_.certificate());
  const struct {
    const char* name;
    std::string certificate, key;
  } cases[] = {
      {"half a certificate", whole.substr(0, whole.size() / 2), content_of(first_.key())},
      {"half a chain", whole + whole.substr(0, whole.size() / 2), content_of(second_.key())},
      {"an empty one", "", content_of(first_.key())},
      {"half a key", whole, content_of(second_.key()).substr(0, 60)},
      {"the key of another", whole, content_of(first_.key())}};
  for (const auto& each : cases) {
    write(certificate_, each.certificate);
    write(key_, each.key);
    const auto failed = world_.net->reload_certificates();
    ASSERT_EQ(failed.size(), 1u) << each.name;
    EXPECT_NE(failed[0].message.find(folder_.file("")), std::string::npos) << failed[0].message;
    EXPECT_EQ(served(), before) << each.name;
  }
  fs::remove(certificate_);
  EXPECT_EQ(world_.net->reload_certificates().size(), 1u);
  EXPECT_EQ(served(), before);
}

TEST_F(CertificateReload, NoticesByItselfWhatHasChanged) {
  testing::Watched<std::vector<bool>> reports;
  world_.net->watch_certificates(5, [&](const std::string& certificate, const Status& outcome) {
    EXPECT_EQ(certificate, certificate_);
    reports.update([&](auto& all) { all.push_back(bool(outcome)); });
  });
  const std::string before = served();
  EXPECT_TRUE(reports.get().empty());
  write(certificate_, "half");
  ASSERT_TRUE(reports.wait([](const auto& all) { return !all.empty(); }));
  EXPECT_FALSE(reports.get()[0]);
  EXPECT_EQ(served(), before);
  install(second_);
  ASSERT_TRUE(reports.wait([](const auto& all) { return all.back(); }));
  EXPECT_NE(served(), before);
  // As certbot does it: a link that leads elsewhere.
  write(key_, "half");
  ASSERT_TRUE(reports.wait([](const auto& all) { return !all.back(); }));
  const std::string link = folder_.file("link.pem");
  fs::create_symlink(first_.certificate(), link);
  fs::rename(link, certificate_);
  fs::copy_file(first_.key(), key_, fs::copy_options::overwrite_existing);
  ASSERT_TRUE(reports.wait([](const auto& all) { return all.back(); }));
  EXPECT_EQ(served(), before);
}

}  // namespace
}  // namespace backplane
