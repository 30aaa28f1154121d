// SPDX-License-Identifier: Apache-2.0
// TLS contexts and sessions (OpenSSL 3, TLS 1.2 and up, ALPN). A context may be used by all loops.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace backplane {

struct TlsContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
struct TlsSessionDeleter {
  void operator()(ssl_st* session) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextDeleter>;
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDeleter>;

// Another owner of the same context.
TlsContext share(ssl_ctx_st& context);

// Protocols as ALPN sends them (RFC 7301), of "h2,http/1.1"; empty: http/1.1. Fails for a name that
// is empty or does not fit.
Result<std::string> parse_protocols(std::string_view names);

// A server's context: a PEM chain and its key. Fails naming the file and the reason. [control]
Result<TlsContext> make_server_context(const std::string& certificate, const std::string& key);

// A client's context: verifies against the system's authorities and, if given, those of `ca_file`.
Result<TlsContext> make_client_context(const std::string& ca_file);

// Chooses the first of `protocols` that the peer offers too; borrowed until the handshake is over.
// Null when out of memory.
TlsSession make_server_session(ssl_ctx_st& context, const std::string& protocols);
// Others in their place.
void offer_protocols(ssl_st& session, const std::string& protocols);
// Requires a certificate for `host`, a name or an IP address without brackets.
TlsSession make_client_session(ssl_ctx_st& context, const std::string& host);

// Why the peer's certificate was refused; empty if it was not.
std::string_view verification_failure(const ssl_st& session);

}  // namespace backplane
