// SPDX-License-Identifier: Apache-2.0
// A connected non-blocking socket, with or without TLS, as a stream of bytes. It remembers when the
// socket has been read empty, so that no call is spent on learning it again. All [loop].
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>

#include "runtime/net/tls.hpp"

namespace backplane {

enum class IoStatus {
  kDone,       // `bytes` were moved
  kBlocked,    // `bytes` were moved, which may be 0; more once the socket is ready
  kEnd,        // the peer sends no more
  kTruncated,  // likewise, without TLS's own farewell
  kFailed,     // the connection is of no use any more
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

class Stream {
 public:
  // Owns the descriptor; -1: none yet.
  explicit Stream(int descriptor) : descriptor_(descriptor) {}
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // From here on everything goes through TLS, after the handshake. False when out of memory.
  bool start_tls(TlsSession session);
  // Drops the descriptor and all state, takes another.
  void reopen(int descriptor);

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  bool uses_tls() const { return tls_ != nullptr; }
  const ssl_st* tls() const { return tls_.get(); }
  void offer_protocols(const std::string& protocols);

  bool has_hung_up() const { return hangup_; }
  // False: a read would find nothing.
  bool may_read() const { return !drained_ || uses_tls(); }

  // The socket was reported ready. `hangup`: with a hint that the peer has closed.
  void note_readable(bool hangup);

  IoResult handshake();
  IoResult read(char* target, std::size_t size);
  // Moves as much as the socket takes: kDone when all of it.
  IoResult write(std::span<const iovec> pieces);
  // True: nothing is to be read but the peer's end.
  bool peer_has_ended() const;

  void shutdown_write();
  void close();
  void reset();  // the peer sees a reset

  // What the kernel holds that the peer has not confirmed.
  std::size_t queued_bytes() const;

  // Below TLS: what the socket itself does.
  IoResult peek(char* target, std::size_t size);
  IoResult read_socket(char* target, std::size_t size);
  IoResult write_socket(std::span<const iovec> pieces);

 private:
  IoResult tls_result(int answer, std::size_t bytes);
  IoResult write_tls(std::span<const iovec> pieces);

  int descriptor_;
  bool drained_ = false;
  bool hangup_ = false;
  TlsSession tls_;
};

}  // namespace backplane
