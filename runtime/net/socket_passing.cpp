// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/socket_passing.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/net/event_loop.hpp"

namespace backplane {

namespace {

constexpr std::uint32_t kMagic = 0x42504c31;          // "BPL1"
constexpr std::size_t kDescriptorsPerFrameMax = 253;  // SCM_MAX_FD
constexpr std::size_t kAddressMaxBytes = 256;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

// Each frame carries some descriptors of one address, with its first byte; an empty one is the end.
// Both sides are on one machine, so the integers go as they are.
struct FrameHead {
  std::uint32_t magic;
  std::uint32_t address_bytes;
  std::uint32_t descriptor_count;
};

Error broken(const char* what) {
  return {Code::kUnavailable,
          std::string("cannot pass listening sockets between processes: ") + what,
          {},
          0,
          0};
}

class Deadline {
 public:
  explicit Deadline(std::uint64_t timeout_ms)
      : end_ns_(monotonic_ns() +
                static_cast<std::int64_t>(std::min<std::uint64_t>(timeout_ms, INT_MAX)) *
                    kNanosecondsPerMillisecond) {}
  Status wait(int descriptor, short events) const {
    for (;;) {
      const std::int64_t left_ms = (end_ns_ - monotonic_ns()) / kNanosecondsPerMillisecond;
      if (left_ms <= 0) {
        return Error{Code::kDeadlineExceeded,
                     "cannot pass listening sockets between processes: the other one is too slow",
                     {},
                     0,
                     0};
      }
      pollfd entry{descriptor, events, 0};
      const int count = poll(&entry, 1, static_cast<int>(left_ms));
      if (count > 0) return ok();
      if (count < 0 && errno != EINTR) return broken("poll failed");
    }
  }

 private:
  const std::int64_t end_ns_;
};

union Control {
  cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * kDescriptorsPerFrameMax)];
};

void attach(msghdr& message, Control& control, std::span<const int> descriptors) {
  if (descriptors.empty()) return;
  std::memset(&control, 0, sizeof(control));
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
}

Status send_frame(int peer, const std::string& address, std::span<const int> descriptors,
                  const Deadline& deadline) {
  const FrameHead head{kMagic, static_cast<std::uint32_t>(address.size()),
                       static_cast<std::uint32_t>(descriptors.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  bytes += address;
  for (std::size_t sent = 0; sent < bytes.size();) {
    const Status ready = deadline.wait(peer, POLLOUT);
    if (!ready) return ready;
    iovec part{bytes.data() + sent, bytes.size() - sent};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    if (sent == 0) attach(message, control, descriptors);
    const ssize_t count = sendmsg(peer, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count < 0 && errno != EINTR && errno != EAGAIN) return broken(std::strerror(errno));
  }
  return ok();
}

void take_descriptors(msghdr& message, OwnedDescriptors& received) {
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; ++index) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(head) + index * sizeof(int), sizeof(int));
      received.add(descriptor);
    }
  }
}

// Exactly `size` bytes, and the descriptors that came with them.
Status receive(int peer, char* target, std::size_t size, OwnedDescriptors& received,
               const Deadline& deadline) {
  for (std::size_t have = 0; have < size;) {
    const Status ready = deadline.wait(peer, POLLIN);
    if (!ready) return ready;
    iovec part{target + have, size - have};
    Control control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof(control.bytes);
    const ssize_t count = recvmsg(peer, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return broken(std::strerror(errno));
    take_descriptors(message, received);
    if (count == 0) return broken("the other one has gone");
    if ((message.msg_flags & MSG_CTRUNC) != 0) return broken("out of file descriptors");
    have += static_cast<std::size_t>(count);
  }
  return ok();
}

std::string bound_to(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  if (storage.ss_family != AF_UNIX) return text_of(local_address(descriptor));
  const auto& path = reinterpret_cast<const sockaddr_un&>(storage).sun_path;
  return "unix:" + std::string(path, strnlen(path, sizeof(path)));
}

bool listens_on(int descriptor, const std::string& address) {
  int accepts = 0;
  socklen_t size = sizeof(accepts);
  return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts != 0 &&
         bound_to(descriptor) == address;
}

// Everything received so far; closed if it is not handed on.
class Reception {
 public:
  ~Reception() {
    for (ListeningSockets& each : all_) OwnedDescriptors closing(std::move(each.descriptors));
  }
  Status add(const std::string& address, OwnedDescriptors received) {
    for (const int descriptor : received.get()) {
      if (!listens_on(descriptor, address)) {
        return invalid_argument("cannot take over " + address +
                                ": what was passed is no socket that listens there");
      }
      // An attribute of the socket, not of this descriptor: the sender has set it as well.
      fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    }
    count_ += received.get().size();
    if (count_ > kPassedDescriptorsMax) return broken("too many of them");
    const auto is_it = [&](const auto& each) { return each.address == address; };
    auto entry = std::find_if(all_.begin(), all_.end(), is_it);
    if (entry == all_.end()) entry = all_.insert(all_.end(), ListeningSockets{address, {}});
    for (const int descriptor : received.take()) entry->descriptors.push_back(descriptor);
    return ok();
  }
  std::vector<ListeningSockets> take() { return std::exchange(all_, {}); }

 private:
  std::vector<ListeningSockets> all_;
  std::size_t count_ = 0;
};

}  // namespace

Status send_sockets(int unix_fd, std::span<const ListeningSockets> sockets,
                    std::uint64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  std::size_t left = kPassedDescriptorsMax;
  for (const ListeningSockets& each : sockets) {
    std::span<const int> rest(each.descriptors);
    if (rest.size() > left) return broken("too many of them");
    left -= rest.size();
    while (!rest.empty()) {
      const std::size_t count = std::min(rest.size(), kDescriptorsPerFrameMax);
      const Status sent = send_frame(unix_fd, each.address, rest.first(count), deadline);
      if (!sent) return sent;
      rest = rest.subspan(count);
    }
  }
  return send_frame(unix_fd, {}, {}, deadline);
}

Result<std::vector<ListeningSockets>> receive_sockets(int unix_fd, std::uint64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  Reception reception;
  for (;;) {
    OwnedDescriptors received;
    FrameHead head{};
    Status status =
        receive(unix_fd, reinterpret_cast<char*>(&head), sizeof(head), received, deadline);
    if (!status) return status.error();
    if (head.magic != kMagic || head.address_bytes > kAddressMaxBytes ||
        head.descriptor_count != received.get().size()) {
      return broken("the other one speaks otherwise; run the same version on both sides");
    }
    if (head.descriptor_count == 0) return reception.take();
    std::string address(head.address_bytes, '\0');
    status = receive(unix_fd, address.data(), address.size(), received, deadline);
    if (status) status = reception.add(address, std::move(received));
    if (!status) return status.error();
  }
}

}  // namespace backplane
