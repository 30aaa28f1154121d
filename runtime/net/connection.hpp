// SPDX-License-Identifier: Apache-2.0
// One accepted connection: the object behind bp_connection. All [loop]. It destroys itself at the
// end of the turn in which it has ended, after `closed`.
#pragma once

#include <backplane/net.h>

#include <cstdint>
#include <string>

#include "runtime/net/deadline_sweep.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/net/socket_address.hpp"
#include "runtime/net/stream.hpp"

namespace backplane {

class Acceptor;
class LoopNet;
struct ConnectionGroup;

class Connection final : public Watch, public TurnEnd, public Timed {
 public:
  // `acceptor` is told when the handshake is done, and when the connection has gone if it still
  // exists by then.
  Connection(LoopNet& net, Acceptor& acceptor, int descriptor, const SocketAddress& peer);
  ~Connection();

  // Starts watching; hands over at once, or after TLS's handshake.
  void start(TlsSession session);
  // The acceptor is going away: what has not been handed over goes to `successor`, or ends.
  void forget(const Acceptor& acceptor, Acceptor* successor);

  bp_connection* handle() { return reinterpret_cast<bp_connection*>(this); }
  static Connection& of(bp_connection* connection) {
    return *reinterpret_cast<Connection*>(connection);
  }

  // The functions of bp_net.
  EventLoop& loop() const;
  const ConnectionGroup* group() const { return group_; }
  void set_handler(const bp_connection_handler& handler, void* context);
  std::uint32_t write(const bp_str* pieces, std::uint64_t count);
  void pause();
  void resume();
  void set_timeout(std::uint64_t timeout_ms);
  void close();
  void abort();
  bp_str peer();

  void on_ready(std::uint32_t epoll_events) override;
  void at_turn_end() override;
  void on_deadline() override;

 private:
  friend class LoopNet;

  enum class State : std::uint8_t {
    kHandshake,  // the transport does not know it yet; the header of a proxy counts as well
    kOpen,
    kClosing,  // sending what is pending
    kLinger,   // the transport has been told closed; waiting for the peer's end
    kDead,     // the socket is closed
  };

  std::size_t pending() const { return output_.size() - output_offset_; }
  void arm(std::uint64_t timeout_ms);
  void join(ConnectionGroup* group);
  void hand_over();
  void move_to(Acceptor& successor);
  void continue_handshake();
  bool take_proxy_header();
  void read_available();
  void read_while_paused(bool failed);
  void on_end();
  bool write_directly(const bp_str* pieces, std::uint64_t count, std::size_t& sent);
  void append(const bp_str* pieces, std::uint64_t count, std::size_t skip);
  void flush();
  void take_sent(std::size_t bytes);
  bool is_peer_awaited() const;
  void begin_write_window();
  void note_blocked(bool blocked);
  bool has_taken_enough() const;
  void linger();
  void tell_closed();
  void die();
  void finish();

  LoopNet& net_;
  Acceptor* acceptor_;
  ConnectionGroup* group_ = nullptr;
  Stream stream_;
  const bp_connection_handler* handler_ = nullptr;
  void* context_ = nullptr;
  std::string output_;
  std::size_t output_offset_ = 0;
  std::int64_t written_ns_ = 0;     // the turn of the last write
  std::uint64_t timeout_ms_ = 0;    // the one that is armed; 0: none
  std::uint64_t taken_bytes_ = 0;   // since the timeout was armed, by the kernel
  std::uint64_t queued_bytes_ = 0;  // in the kernel by then
  std::uint32_t index_ = 0;         // in LoopNet
  const std::uint32_t write_bytes_per_second_min_;
  State state_ = State::kHandshake;
  bool paused_ = false;         // no data to the transport
  bool unread_ = false;         // the socket may have something to read
  bool ended_ = false;          // the peer's end was seen
  bool blocked_ = false;        // the socket takes nothing more
  bool wants_drained_ = false;  // write has answered PAUSE
  bool window_begun_ = false;   // queued_bytes_ is of meaning
  bool awaits_proxy_header_;
  SocketAddress peer_;
  std::string peer_text_;
};

}  // namespace backplane
