// SPDX-License-Identifier: Apache-2.0
// Sockets that listen: made and shared. [control]
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "runtime/net/listen_address.hpp"

namespace backplane {

inline constexpr int kListenBacklog = 4096;  // the kernel lowers it to net.core.somaxconn

// The sockets of one address, one descriptor for each that the kernel knows. Who owns the
// descriptors is said where they are passed.
struct ListeningSockets {
  std::string address;  // as bound: "127.0.0.1:8080", "unix:/run/backplane"
  std::vector<int> descriptors;
};

// Descriptors that are closed unless they are taken.
class OwnedDescriptors {
 public:
  OwnedDescriptors() = default;
  explicit OwnedDescriptors(std::vector<int> descriptors) : descriptors_(std::move(descriptors)) {}
  ~OwnedDescriptors();
  OwnedDescriptors(OwnedDescriptors&& other) noexcept : descriptors_(other.take()) {}
  OwnedDescriptors& operator=(OwnedDescriptors&&) = delete;

  void add(int descriptor) { descriptors_.push_back(descriptor); }
  const std::vector<int>& get() const { return descriptors_; }
  std::vector<int> take() { return std::exchange(descriptors_, {}); }

 private:
  std::vector<int> descriptors_;
};

// Binds `count` sockets to an IP address, or one to a path. Port 0 becomes the one that was found.
// Refused where another socket listens, whether or not it would share the address.
Result<OwnedDescriptors> open_listening_sockets(ListenAddress& address, std::size_t count);

// Another descriptor of the same socket; -1: out of descriptors.
int duplicate(int descriptor);

Error cannot_listen(const ListenAddress& address, int error);

}  // namespace backplane
