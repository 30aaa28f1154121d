// SPDX-License-Identifier: Apache-2.0
// One connection to an upstream: serves one exchange at a time. All [loop]. It destroys itself at
// the end of the turn in which it has ended.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/net/deadline_sweep.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/net/http_exchange.hpp"
#include "runtime/net/http_resolver.hpp"
#include "runtime/net/http_response.hpp"
#include "runtime/net/stream.hpp"

namespace backplane {

class UpstreamConnection final : public Watch, public TurnEnd, public Timed, public ResponseSink {
 public:
  // Begins to connect to the addresses in turn, for `exchange`.
  UpstreamConnection(HostPool& pool, Exchange& exchange, Addresses addresses);
  ~UpstreamConnection();

  // An idle one: sends the request.
  void serve(Exchange& exchange);
  void resume();
  // There is more of the request to send.
  void resume_sending();
  // The exchange wants no more of it: closes.
  void abandon();
  // Closes; its exchange is dropped.
  void close();
  // Connecting takes too long.
  void try_next_address();

  void on_ready(std::uint32_t epoll_events) override;
  void at_turn_end() override;
  void on_deadline() override;
  bool on_head(std::uint32_t status, std::span<const bp_pair> headers) override;
  bool on_body(std::string_view bytes) override;

 private:
  friend class HostPool;

  enum class State : std::uint8_t { kConnecting, kHandshake, kBusy, kIdle, kDead };

  bool open_socket(const SocketAddress& address);
  void finish_connecting();
  void continue_handshake();
  void begin_exchange();
  void send_more();
  void read_available();
  void read_idle();
  void consume(std::string_view bytes);
  void on_end(bool truncated);
  void complete(bool reusable);
  void fail(Error error);
  void die();

  HostPool& pool_;
  Exchange* exchange_;
  Addresses addresses_;  // not yet tried, the next one last
  Stream stream_{-1};
  ResponseReader reader_{*this};
  std::string held_;         // read, not yet consumed
  std::uint32_t index_ = 0;  // in HostPool
  State state_ = State::kConnecting;
  bool used_ = false;       // has served before
  bool responded_ = false;  // a byte of the response has come
  bool unread_ = false;
  bool unsent_ = false;     // of the request
  bool may_send_ = false;   // at the end of this turn
  bool cut_short_ = false;  // not all of the request was sent before the response began
};

}  // namespace backplane
