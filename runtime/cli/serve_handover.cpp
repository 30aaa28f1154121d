// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/serve_handover.hpp"

#include "runtime/net/socket_passing.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <system_error>
#include <utility>

namespace backplane::cli {
namespace {

constexpr std::string_view kHello = "backplane 1\n";
constexpr std::string_view kServing = "serving\n";
constexpr int kHelloTimeoutMs = 10'000;
constexpr int kForever = -1;

Error failed(const std::string& path, const std::string& what) {
  return {Code::kFailedPrecondition, "--handover " + path + ": " + what, {}, 0, 0};
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return failed(
        path, "expected a path of 1 to " + std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// The process at the other end, if it runs for the same user; else -1.
pid_t trusted_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
  return peer.uid == geteuid() ? peer.pid : -1;
}

bool write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

Predecessor::Predecessor(Predecessor&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), process_(other.process_) {}

Predecessor::~Predecessor() {
  if (socket_ >= 0) close(socket_);
}

Result<std::optional<Predecessor>> Predecessor::find(const std::string& path) {
  const Result<sockaddr_un> address = address_of(path);
  if (!address) return address.error();
  Predecessor found(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), -1);
  if (found.socket_ < 0) return failed(path, reason(errno));
  if (connect(found.socket_, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<Predecessor>();
    return failed(path, "cannot reach who serves there: " + reason(errno));
  }
  found.process_ = trusted_peer(found.socket_);
  if (found.process_ < 0) return failed(path, "a process of another user serves there");
  return std::optional<Predecessor>(std::move(found));
}

Result<std::vector<ListeningSockets>> Predecessor::take_sockets() {
  if (!write_all(socket_, kHello)) {
    return Error{Code::kUnavailable, "the process that serves now has gone", {}, 0, 0};
  }
  return receive_sockets(socket_);
}

Status Predecessor::send_away() {
  if (write_all(socket_, kServing)) return ok();
  return Error{Code::kUnavailable, "the process that served has gone", {}, 0, 0};
}

HandoverPoint::HandoverPoint(std::string path, Runtime& runtime,
                             std::function<void(pid_t)> taken_over)
    : path_(std::move(path)), runtime_(runtime), taken_over_(std::move(taken_over)) {}

Result<std::unique_ptr<HandoverPoint>> HandoverPoint::open(const std::string& path,
                                                           Runtime& runtime,
                                                           std::function<void(pid_t)> taken_over) {
  std::unique_ptr<HandoverPoint> point(new HandoverPoint(path, runtime, std::move(taken_over)));
  if (const Status bound = point->bind_path(); !bound) return bound.error();
  point->wake_ = eventfd(0, EFD_CLOEXEC);
  if (point->wake_ < 0) return failed(path, reason(errno));
  point->thread_ = std::thread([self = point.get()] { self->run(); });
  return point;
}

HandoverPoint::~HandoverPoint() {
  leave();
  if (thread_.joinable()) thread_.join();
  if (listener_ >= 0) close(listener_);
  if (wake_ >= 0) close(wake_);
}

void HandoverPoint::leave() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(leaving_, true)) return;
  if (listener_ >= 0 && has_path()) unlink(path_.c_str());
  const std::uint64_t one = 1;
  if (wake_ < 0) return;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

// Who took the path and went leaves nobody there.
void HandoverPoint::keep_path() {
  const std::lock_guard lock(mutex_);
  if (leaving_ || has_path()) return;
  if (const Status bound = bind_path(); !bound) std::cerr << bound.error().message << std::endl;
}

// Renamed into place, so that somebody serves at the path at every moment.
Status HandoverPoint::bind_path() {
  struct stat there {};
  if (lstat(path_.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode)) {
    return failed(path_, "is there and no socket; remove it or choose another path");
  }
  const std::string own = path_ + '.' + std::to_string(getpid());
  const Result<sockaddr_un> address = address_of(own);
  if (!address) return failed(path_, "is too long");
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return failed(path_, reason(errno));
  unlink(own.c_str());
  struct stat bound {};
  if (fchmod(listener, 0600) != 0 ||  // before bind: the file never has another mode
      bind(listener, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
      listen(listener, SOMAXCONN) != 0 || lstat(own.c_str(), &bound) != 0 ||
      rename(own.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    unlink(own.c_str());
    close(listener);
    return failed(path_, "cannot serve there: " + reason(error));
  }
  if (listener_ >= 0) close(listener_);
  listener_ = listener;
  device_ = bound.st_dev;
  inode_ = bound.st_ino;
  return ok();
}

bool HandoverPoint::has_path() const {
  struct stat there {};
  return lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_;
}

void HandoverPoint::run() {
  while (wait_readable(listener_, kForever)) {
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) continue;
    const pid_t process = trusted_peer(peer);
    const bool done = process >= 0 && hand_over(peer);
    close(peer);
    if (done) return taken_over_(process);
    keep_path();
  }
}

// False: it said nothing of use, or went before it served.
bool HandoverPoint::hand_over(int peer) {
  if (!reads(peer, kHello, kHelloTimeoutMs)) return false;
  std::cout << "another process asks for the sockets" << std::endl;
  const Status sent = runtime_.send_sockets(peer);
  if (sent && reads(peer, kServing, kForever)) return true;
  std::cerr << "the other process did not take over" << (sent ? "" : ": " + sent.error().message)
            << "; serving on" << std::endl;
  return false;
}

bool HandoverPoint::reads(int peer, std::string_view expected, int timeout_ms) const {
  std::string text;
  while (text.size() < expected.size()) {
    if (!wait_readable(peer, timeout_ms)) return false;
    std::array<char, 64> bytes;
    const std::size_t room = std::min(bytes.size(), expected.size() - text.size());
    const ssize_t got = recv(peer, bytes.data(), room, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return false;
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return text == expected;
}

// False: this object goes, or the time is up.
bool HandoverPoint::wait_readable(int descriptor, int timeout_ms) const {
  std::array<pollfd, 2> watched = {{{wake_, POLLIN, 0}, {descriptor, POLLIN, 0}}};
  int ready = 0;
  do {
    ready = poll(watched.data(), watched.size(), timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && watched[0].revents == 0;
}

}  // namespace backplane::cli
