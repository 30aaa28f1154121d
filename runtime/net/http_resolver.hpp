// SPDX-License-Identifier: Apache-2.0
// Names to addresses, off the loops: the system's resolver blocks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/net/socket_address.hpp"

namespace backplane {

inline constexpr std::size_t kAddressesMax = 16;  // of one name; the rest is ignored

using Addresses = std::vector<SocketAddress>;

// The address an IP literal stands for.
std::optional<SocketAddress> literal_address(const std::string& host, std::uint16_t port);

class AddressReceiver {
 public:
  // On a thread of the resolver. No addresses: the name is not known, or nobody answered.
  virtual void on_addresses(const std::string& key, Addresses addresses) = 0;

 protected:
  ~AddressReceiver() = default;
};

class Resolver {
 public:
  Resolver() = default;
  // Waits for look-ups in progress; those not begun get no answer. [control]
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `key` comes back with the answer; `receiver` outlives this object. [any-thread]
  void resolve(std::string key, std::string host, std::uint16_t port, AddressReceiver& receiver);

 private:
  struct Question {
    std::string key;
    std::string host;
    std::uint16_t port;
    AddressReceiver* receiver;
  };

  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;    // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::size_t idle_threads_ = 0;      // guarded by mutex_
  bool stopping_ = false;             // guarded by mutex_
};

}  // namespace backplane
