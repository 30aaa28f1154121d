// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace backplane {

namespace {

constexpr char kCiphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kDefaultProtocols = "http/1.1";
constexpr std::size_t kProtocolMaxBytes = 255;
constexpr std::size_t kProtocolsMaxBytes = 1024;
constexpr unsigned char kSessionContext[] = "backplane";

std::string take_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? std::string("unknown reason") : std::string(reason);
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int choose_protocol(ssl_st* session, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  const auto& ours = *static_cast<const std::string*>(SSL_get_app_data(session));
  unsigned char* chosen = nullptr;
  const int answer = SSL_select_next_proto(
      &chosen, out_size, bytes_of(ours), static_cast<unsigned>(ours.size()), offered, offered_size);
  if (answer != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

TlsContext make_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers12);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Error out_of_memory() {
  return internal_error("cannot set up TLS: out of memory");
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

void TlsContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsSessionDeleter::operator()(ssl_st* session) const {
  SSL_free(session);
}

TlsContext share(ssl_ctx_st& context) {
  SSL_CTX_up_ref(&context);
  return TlsContext(&context);
}

Result<std::string> parse_protocols(std::string_view names) {
  if (names.empty()) names = kDefaultProtocols;
  std::string protocols;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string_view name = names.substr(begin, end - begin);
    if (name.empty() || name.size() > kProtocolMaxBytes ||
        protocols.size() + name.size() >= kProtocolsMaxBytes) {
      return invalid_argument("cannot offer the protocols \"" + std::string(names.substr(0, 64)) +
                              "\": write their names with commas, such as h2,http/1.1");
    }
    protocols += static_cast<char>(name.size());
    protocols += name;
    begin = end + 1;
  }
  return protocols;
}

Result<TlsContext> make_server_context(const std::string& certificate, const std::string& key) {
  TlsContext context = make_context(TLS_server_method());
  if (!context) return out_of_memory();
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    return invalid_argument("cannot use the TLS certificate " + certificate + " (" + take_reason() +
                            "): give the path of a readable PEM chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return invalid_argument("cannot use the TLS key " + key + " (" + take_reason() +
                            "): give the path of the readable PEM key of " + certificate);
  }
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);
  return context;
}

Result<TlsContext> make_client_context(const std::string& ca_file) {
  TlsContext context = make_context(TLS_client_method());
  if (!context) return out_of_memory();
  SSL_CTX_set_default_verify_paths(context.get());
  if (!ca_file.empty() && SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
    return invalid_argument("cannot use the certificate authorities of " + ca_file + " (" +
                            take_reason() + "): give the path of a readable PEM file");
  }
  ERR_clear_error();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const auto protocols = parse_protocols(kDefaultProtocols);
  SSL_CTX_set_alpn_protos(context.get(), bytes_of(*protocols),
                          static_cast<unsigned>(protocols->size()));
  return context;
}

TlsSession make_server_session(ssl_ctx_st& context, const std::string& protocols) {
  TlsSession session(SSL_new(&context));
  if (!session) return session;
  SSL_set_accept_state(session.get());
  offer_protocols(*session, protocols);
  return session;
}

void offer_protocols(ssl_st& session, const std::string& protocols) {
  SSL_set_app_data(&session, const_cast<std::string*>(&protocols));
}

TlsSession make_client_session(ssl_ctx_st& context, const std::string& host) {
  TlsSession session(SSL_new(&context));
  if (!session) return session;
  SSL_set_connect_state(session.get());
  SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = is_address(host);
  const bool set =
      address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
              : SSL_set1_host(session.get(), host.c_str()) == 1 &&
                    SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!set) session.reset();
  return session;
}

std::string_view verification_failure(const ssl_st& session) {
  const long result = SSL_get_verify_result(&session);
  return result == X509_V_OK ? std::string_view{} : X509_verify_cert_error_string(result);
}

}  // namespace backplane
