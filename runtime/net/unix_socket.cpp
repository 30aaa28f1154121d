// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "runtime/net/listening_socket.hpp"

namespace backplane {

namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  assert(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int open_socket() {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

template <class Call>
int call_with(const std::string& path, Call call, int descriptor) {
  const sockaddr_un address = address_of(path);
  return call(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

// The kernel refuses a connection to a file that no socket is bound to any more.
bool is_dead(const std::string& path) {
  if (!is_socket(path)) return false;
  const int descriptor = open_socket();
  if (descriptor < 0) return false;
  const bool refused = call_with(path, connect, descriptor) != 0 && errno == ECONNREFUSED;
  close(descriptor);
  return refused;
}

std::string remedy(const std::string& path, int error) {
  switch (error) {
    case EADDRINUSE:
      return is_socket(path) ? "another program listens there; stop it or choose another path"
                             : "there is a file that is no socket; remove it or choose another";
    case ENOENT:
    case ENOTDIR:
      return "its folder does not exist; create it";
    case EACCES:
    case EPERM:
    case EROFS:
      return "permission denied; let this user write to its folder";
    case EMFILE:
    case ENFILE:
      return "out of file descriptors; raise the limit (ulimit -n)";
    default:
      return std::generic_category().message(error);
  }
}

Error close_and_report(int descriptor, const std::string& path) {
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  const Code code = error == EADDRINUSE ? Code::kAlreadyExists : Code::kFailedPrecondition;
  return {code, "cannot listen on unix:" + path + ": " + remedy(path, error), {}, 0, 0};
}

bool bind_to(int descriptor, const std::string& path) {
  if (call_with(path, bind, descriptor) == 0) return true;
  if (errno != EADDRINUSE) return false;
  remove_dead_socket(path);
  return call_with(path, bind, descriptor) == 0;
}

}  // namespace

Result<int> open_unix_socket(const std::string& path) {
  const int descriptor = open_socket();
  if (descriptor < 0 || !bind_to(descriptor, path)) return close_and_report(descriptor, path);
  // Nobody can connect before it listens.
  if (chmod(path.c_str(), kUnixSocketMode) != 0 || listen(descriptor, kListenBacklog) != 0) {
    return close_and_report(descriptor, path);
  }
  return descriptor;
}

void remove_dead_socket(const std::string& path) {
  if (is_dead(path)) unlink(path.c_str());
}

}  // namespace backplane
