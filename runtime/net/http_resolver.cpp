// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <cstring>
#include <system_error>
#include <utility>

namespace backplane {

namespace {

constexpr std::size_t kThreadsMax = 4;

Addresses look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  Addresses addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* each = found; each != nullptr && addresses.size() < kAddressesMax;
       each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    SocketAddress address;
    std::memset(&address, 0, sizeof(address));
    std::memcpy(&address, each->ai_addr, size_of(reinterpret_cast<SocketAddress&>(*each->ai_addr)));
    set_port(address, port);
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::optional<SocketAddress> literal_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  std::memset(&address, 0, sizeof(address));
  if (inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
  } else if (inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
  } else {
    return std::nullopt;
  }
  set_port(address, port);
  return address;
}

Resolver::~Resolver() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Resolver::resolve(std::string key, std::string host, std::uint16_t port,
                       AddressReceiver& receiver) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  questions_.push_back({std::move(key), std::move(host), port, &receiver});
  if (questions_.size() > idle_threads_ && threads_.size() < kThreadsMax) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) {
        questions_.back().receiver->on_addresses(questions_.back().key, {});
        questions_.pop_back();
      }
    }
  }
  changed_.notify_one();
}

void Resolver::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (questions_.empty()) {
      ++idle_threads_;
      changed_.wait(lock);
      --idle_threads_;
      continue;
    }
    const Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    question.receiver->on_addresses(question.key, look_up(question.host, question.port));
    lock.lock();
  }
}

}  // namespace backplane
