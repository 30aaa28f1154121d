// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/listener.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/net/connection.hpp"
#include "runtime/net/loop_net.hpp"
#include "runtime/net/net.hpp"

namespace backplane {

namespace {

constexpr int kAcceptsPerTurn = 16;
constexpr int kSharedAcceptsPerTurn = 1;  // of a socket that several loops serve

}  // namespace

Acceptor::Acceptor(Listener& listener, LoopNet& net, int descriptor)
    : listener_(listener), net_(net), descriptor_(descriptor) {}

Acceptor::~Acceptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ConnectionGroup* Acceptor::group() const {
  return listener_.group();
}

bool Acceptor::open() {
  return net_.loop().watch(descriptor_, EPOLLIN, *this);
}

void Acceptor::close(Acceptor* successor) {
  if (timer_ != 0) net_.loop().cancel(timer_);
  timer_ = 0;
  net_.loop().unwatch(descriptor_);
  ::close(descriptor_);
  descriptor_ = -1;
  net_.forget(*this, successor);
}

void Acceptor::accepted(Connection& connection) {
  listener_.handler().accepted(listener_.handler().context, connection.handle());
}

const ListenerOptions& Acceptor::options() const {
  return listener_.options();
}

void Acceptor::gone() {
  listener_.give_back();
  if (timer_ == 0) return;
  net_.loop().cancel(timer_);
  wake();
}

void Acceptor::inherit() {
  listener_.inherit();
}

void Acceptor::on_ready(std::uint32_t) {
  for (int accepts = 0; accepts < listener_.accepts_per_turn() && descriptor_ >= 0; ++accepts) {
    if (!listener_.reserve()) return rest();
    if (accept_one()) continue;
    listener_.give_back();
    return;
  }
}

bool Acceptor::accept_one() {
  SocketAddress peer;
  std::memset(&peer, 0, sizeof(peer));
  for (;;) {
    socklen_t size = sizeof(peer);
    const int descriptor = accept4(descriptor_, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      TlsSession session;
      if (tls_ != nullptr) session = make_server_session(*tls_, options().protocols);
      auto* connection = new Connection(net_, *this, descriptor, peer);
      if (tls_ != nullptr && !session) {
        connection->abort();
      } else {
        connection->start(std::move(session));
      }
      return true;
    }
    if (errno == EAGAIN) return false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      rest();
      return false;
    }
    if (errno == EBADF || errno == EINVAL) return false;
  }
}

// The socket stays in the backlog's hands for a while: at the limit, or out of descriptors.
void Acceptor::rest() {
  if (timer_ != 0) return;
  net_.loop().change(descriptor_, 0, *this);
  const auto wake_up = [](void* self) { static_cast<Acceptor*>(self)->wake(); };
  timer_ = net_.loop().post_after(kAcceptPauseMs, wake_up, this);
}

void Acceptor::wake() {
  timer_ = 0;
  net_.loop().change(descriptor_, EPOLLIN, *this);
}

bool Listener::add(OwnedDescriptors sockets, const std::vector<std::unique_ptr<LoopNet>>& nets) {
  distinct_ = sockets.get().size();
  accepts_per_turn_ = distinct_ < nets.size() ? kSharedAcceptsPerTurn : kAcceptsPerTurn;
  for (std::size_t index = distinct_; index < nets.size(); ++index) {
    const int another = duplicate(sockets.get()[index % distinct_]);
    if (another < 0) return false;
    sockets.add(another);
  }
  for (const int descriptor : sockets.take()) {
    LoopNet& net = *nets[acceptors_.size() % nets.size()];
    acceptors_.push_back(std::make_unique<Acceptor>(*this, net, descriptor));
  }
  return true;
}

bool Listener::open() {
  bool opened = true;
  for (const auto& acceptor : acceptors_) {
    acceptor->net().loop().run_and_wait([&] { opened = opened && acceptor->open(); });
  }
  return opened;
}

Status Listener::read_certificate() {
  auto context = options_.certificate->read();
  if (!context) return context.error();
  use(**context);
  return ok();
}

void Listener::use(ssl_ctx_st& tls) {
  for (const auto& acceptor : acceptors_) {
    acceptor->net().loop().run_and_wait([&] { acceptor->use(share(tls)); });
  }
}

void Listener::close(Listener* successor) {
  for (const auto& acceptor : acceptors_) {
    Acceptor* next = successor == nullptr ? nullptr : successor->acceptor_of(acceptor->net());
    acceptor->net().loop().run_and_wait([&] { acceptor->close(next); });
  }
}

Acceptor* Listener::acceptor_of(const LoopNet& net) const {
  const auto is_it = [&](const auto& acceptor) { return &acceptor->net() == &net; };
  const auto found = std::find_if(acceptors_.begin(), acceptors_.end(), is_it);
  return found == acceptors_.end() ? nullptr : found->get();
}

std::uint16_t Listener::port() const {
  return address().is_unix() ? std::uint16_t{0} : port_of(address().ip);
}

ListeningSockets Listener::sockets() const {
  ListeningSockets sockets{text_of(address()), {}};
  for (std::size_t index = 0; index < distinct_; ++index) {
    sockets.descriptors.push_back(acceptors_[index]->descriptor());
  }
  return sockets;
}

bool Listener::reserve() {
  if (count_.fetch_add(1, std::memory_order_relaxed) < options_.connections_max) return true;
  give_back();
  return false;
}

}  // namespace backplane
