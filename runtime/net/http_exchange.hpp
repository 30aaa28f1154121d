// SPDX-License-Identifier: Apache-2.0
// One request and its response: the object behind bp_http_exchange. All [loop]. Owned by LoopHttp,
// which destroys it when it has ended.
#pragma once

#include <backplane/http.h>
#include <sys/uio.h>

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/net/deadline_sweep.hpp"
#include "runtime/net/http_upload.hpp"
#include "runtime/net/stream.hpp"

namespace backplane {

class HostPool;
class LoopHttp;
class UpstreamConnection;

enum class Phase : std::uint8_t {
  kConnecting,  // or waiting for a connection
  kSending,
  kAwaitingSender,  // all is sent that has come of the body
  kAwaitingHead,
  kBody,
  kPaused,  // likewise, and the receiver wants no more for now
  kFailed,  // `failed` follows at the end of the turn
};

enum class SendStatus : std::uint8_t {
  kDone,     // all is sent
  kBlocked,  // the socket takes no more
  kWaiting,  // the sender has no more for now; resume_sending follows
  kYielded,  // more could be sent: the others have their turn
  kFailed,   // the connection
  kBroken,   // the body: broken_body() says why
};

struct SendResult {
  SendStatus status;
  bool moved = false;  // some of it
};

class Exchange final : public Timed {
 public:
  explicit Exchange(LoopHttp& http) : http_(http) {}

  bp_http_exchange* handle() { return reinterpret_cast<bp_http_exchange*>(this); }
  static Exchange& of(bp_http_exchange* exchange) { return *reinterpret_cast<Exchange*>(exchange); }

  // Takes over a request; `head` is written already.
  void begin(const bp_http_request& request, const bp_http_handler& handler, void* context,
             HostPool& pool);
  // Forgets all of it; memory is kept for the next.
  void clear();

  void resume();
  void cancel();

  // Enters a phase and arms its timeout.
  void enter(Phase phase);
  // Something moved: the phase's timeout begins again.
  void touch();
  // While connecting: the time for the next of `addresses` still to try.
  void limit_attempt(std::size_t addresses);

  // Sends from where the last call stopped.
  SendResult send(Stream& stream);
  const Error& broken_body() const { return upload_.error(); }
  // Part of the body comes only now: it cannot be sent twice.
  bool has_upload() const { return upload_.is_active(); }
  // No more of the body is wanted.
  void stop_upload() { upload_.stop(); }
  void abandon_upload() { upload_.abandon(); }
  // All is to be sent once more, which is allowed once.
  void begin_again();

  void on_deadline() override;

  std::string head;

  // What the connection and the pool keep here.
  const bp_http_handler* handler = nullptr;
  void* context = nullptr;
  HostPool* pool = nullptr;
  UpstreamConnection* connection = nullptr;
  Phase phase = Phase::kConnecting;
  bool to_head = false;  // the method is HEAD
  bool retried = false;
  Error error;  // kFailed

 private:
  std::uint32_t timeout_ms() const;
  Error timeout_error() const;
  void rewind();
  IoResult send_pieces(Stream& stream);
  Upload::Next next_part();
  void resume_sending();
  void add_body(const bp_http_request& request);

  LoopHttp& http_;
  Upload upload_;
  ChunkLine first_line_;
  std::vector<iovec> pieces_;
  std::size_t piece_ = 0;
  std::size_t offset_ = 0;
  bool part_added_ = false;  // pieces_ end with a part of the upload
  std::uint32_t connect_timeout_ms_ = 0;
  std::uint32_t first_byte_timeout_ms_ = 0;
  std::uint32_t idle_timeout_ms_ = 0;
  std::uint32_t total_timeout_ms_ = 0;
  std::int64_t connect_deadline_ns_ = 0;
  std::int64_t total_deadline_ns_ = 0;
};

}  // namespace backplane
