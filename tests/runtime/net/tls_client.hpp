// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "tests/runtime/net/raw_socket.hpp"

namespace backplane::testing {

// A blocking TLS client on a raw socket.
class TlsClient {
 public:
  explicit TlsClient(RawSocket socket, int highest_version = TLS1_3_VERSION)
      : socket_(std::move(socket)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, highest_version);
    static constexpr unsigned char kOffered[] = "\x02h2\x08http/1.1";
    SSL_CTX_set_alpn_protos(context_, kOffered, sizeof(kOffered) - 1);
    session_ = SSL_new(context_);
    SSL_set_fd(session_, socket_.descriptor());
  }
  ~TlsClient() {
    SSL_free(session_);
    SSL_CTX_free(context_);
  }
  bool connect() { return SSL_connect(session_) == 1; }
  SSL* session() { return session_; }
  RawSocket& socket() { return socket_; }
  bool send(const std::string& bytes) {
    std::size_t count = 0;
    return SSL_write_ex(session_, bytes.data(), bytes.size(), &count) == 1;
  }
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    for (std::size_t count = 0; have < size; have += count) {
      if (SSL_read_ex(session_, bytes.data() + have, size - have, &count) != 1) break;
    }
    bytes.resize(have);
    return bytes;
  }

 private:
  RawSocket socket_;
  SSL_CTX* context_;
  SSL* session_ = nullptr;
};

}  // namespace backplane::testing
