// SPDX-License-Identifier: Apache-2.0
// A path at which one process after another serves the same sockets: each takes them from the one
// before it, serves, and only then sends that one away.
//
// Over a Unix stream socket of mode 0600, between processes of one user (SO_PEERCRED): the new one
// writes "backplane 1\n", the old one sends its sockets (net/socket_passing.hpp), the new one
// starts with them, takes the path, and writes "serving\n". Where the new one ends before that, the
// old one goes on as before.
#pragma once

#include "runtime/host/runtime.hpp"
#include "runtime/net/listening_socket.hpp"

#include <sys/types.h>

#include <backplane/result.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace backplane::cli {

// The process that serves at a path, as seen by the one that is to take over. [control]
class Predecessor {
 public:
  // None: nobody serves there. Fails where somebody does who is not to be trusted.
  static Result<std::optional<Predecessor>> find(const std::string& path);
  Predecessor(Predecessor&& other) noexcept;
  Predecessor& operator=(Predecessor&&) = delete;
  ~Predecessor();

  pid_t process() const { return process_; }
  Result<std::vector<ListeningSockets>> take_sockets();
  // This process serves: it may drain and end.
  Status send_away();

 private:
  Predecessor(int socket, pid_t process) : socket_(socket), process_(process) {}
  int socket_;
  pid_t process_;
};

// Serves at a path, in a thread of its own, until another process has taken over.
class HandoverPoint {
 public:
  // Takes the path from whoever has it. `taken_over` is called once, from that thread; `runtime`
  // outlives this object.
  static Result<std::unique_ptr<HandoverPoint>> open(const std::string& path, Runtime& runtime,
                                                     std::function<void(pid_t)> taken_over);
  ~HandoverPoint();
  HandoverPoint(const HandoverPoint&) = delete;
  HandoverPoint& operator=(const HandoverPoint&) = delete;

  // Nobody is to take over any more: removes the path unless another process has it. Does not
  // block. Idempotent.
  void leave();

 private:
  HandoverPoint(std::string path, Runtime& runtime, std::function<void(pid_t)> taken_over);
  Status bind_path();
  bool has_path() const;
  void keep_path();
  void run();
  bool hand_over(int peer);
  bool wait_readable(int descriptor, int timeout_ms) const;
  bool reads(int peer, std::string_view expected, int timeout_ms) const;

  const std::string path_;
  Runtime& runtime_;
  const std::function<void(pid_t)> taken_over_;
  int wake_ = -1;
  std::mutex mutex_;  // guards what follows, but for the thread's own reading of listener_
  bool leaving_ = false;
  int listener_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::thread thread_;
};

}  // namespace backplane::cli
