// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/net.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>

#include "runtime/net/connection.hpp"
#include "runtime/net/listen_address.hpp"
#include "runtime/net/listener.hpp"
#include "runtime/net/loop_net.hpp"
#include "runtime/net/periodic_thread.hpp"
#include "runtime/net/unix_socket.hpp"

namespace backplane {

namespace {

std::string string_of(bp_str text) {
  return text.size == 0 ? std::string() : std::string(text.data, text.size);
}

std::uint32_t listen_on(void* context, const bp_listen_options* options,
                        const bp_listen_handler* handler, bp_listener** out, bp_error* error) {
  auto listener = static_cast<Net*>(context)->listen(*options, *handler);
  if (!listener) return report(listener.error(), error);
  *out = (*listener)->handle();
  return BP_CODE_OK;
}

Result<ListenerOptions> options_of(const bp_listen_options& given) {
  ListenerOptions options;
  auto address = parse_listen_address(string_of(given.address));
  if (!address) return address.error();
  options.address = *address;
  auto protocols = parse_protocols(string_of(given.alpn));
  if (!protocols) return protocols.error();
  options.protocols = *protocols;
  const std::string certificate = string_of(given.tls_certificate);
  const std::string key = string_of(given.tls_key);
  if (certificate.empty() != key.empty()) {
    return invalid_argument("cannot listen on " + string_of(given.address) +
                            ": TLS needs both a certificate and its key");
  }
  if (!key.empty()) options.certificate = std::make_unique<CertificateFiles>(certificate, key);
  options.connections_max =
      given.max_connections == 0 ? kConnectionsMaxDefault : given.max_connections;
  options.proxy_protocol = (given.flags & BP_LISTEN_PROXY_PROTOCOL) != 0;
  options.write_bytes_per_second_min = given.write_bytes_per_second_min;
  return Result<ListenerOptions>(std::move(options));
}

void fill(bp_net& table) {
  table.struct_size = sizeof(table);
  table.listen = listen_on;
  table.port = [](bp_listener* listener) -> std::uint32_t { return Listener::of(listener).port(); };
  table.close_listener = [](bp_listener* listener) {
    Listener& self = Listener::of(listener);
    self.owner().close_listener(self);
  };
  table.loop = [](bp_connection* connection) { return Connection::of(connection).loop().handle(); };
  table.set_handler = [](bp_connection* connection, const bp_connection_handler* handler,
                         void* context) {
    Connection::of(connection).set_handler(*handler, context);
  };
  table.write = [](bp_connection* connection, const bp_str* pieces, std::uint64_t count) {
    return Connection::of(connection).write(pieces, count);
  };
  table.pause = [](bp_connection* connection) { Connection::of(connection).pause(); };
  table.resume = [](bp_connection* connection) { Connection::of(connection).resume(); };
  table.set_timeout = [](bp_connection* connection, std::uint64_t timeout_ms) {
    Connection::of(connection).set_timeout(timeout_ms);
  };
  table.close = [](bp_connection* connection) { Connection::of(connection).close(); };
  table.abort = [](bp_connection* connection) { Connection::of(connection).abort(); };
  table.peer = [](bp_connection* connection) { return Connection::of(connection).peer(); };
}

}  // namespace

Net::Net(Loops& loops) : loops_(loops) {
  for (std::uint32_t index = 0; index < loops.count(); ++index) {
    loop_nets_.push_back(std::make_unique<LoopNet>(loops.at(index)));
  }
  fill(table_);
  table_.context = this;
}

Net::~Net() {
  certificate_watch_.reset();
  while (!listeners_.empty()) close_listener(*listeners_.back());
  drop_unused();
  abort_all();
  for (auto& net : loop_nets_) {
    net->loop().run_and_wait([&] { net.reset(); });
  }
}

std::size_t Net::connection_count() const {
  std::size_t count = 0;
  for (const auto& net : loop_nets_) count += net->count();
  return count;
}

std::uint64_t Net::accepted_count() const {
  std::uint64_t count = 0;
  for (const auto& net : loop_nets_) count += net->added();
  return count;
}

void Net::abort_all(const ConnectionGroup* group) {
  for (const auto& net : loop_nets_) net->loop().run_and_wait([&] { net->abort_all(group); });
  // One more turn: `closed` is told at the end of the first.
  for (const auto& net : loop_nets_) net->loop().run_and_wait([] {});
}

Result<Listener*> Net::listen(const bp_listen_options& given, const bp_listen_handler& handler,
                              ConnectionGroup* group) {
  const std::lock_guard lock(mutex_);
  auto options = options_of(given);
  if (!options) return options.error();
  Result<TlsContext> tls = TlsContext();
  if (options->certificate != nullptr) tls = options->certificate->read();
  if (!tls) return tls.error();
  auto sockets = sockets_for(options->address);
  if (!sockets) return sockets.error();
  auto listener = std::make_unique<Listener>(*this, handler, std::move(*options));
  const ListenAddress& address = listener->address();
  listener->set_group(group);
  if (!listener->add(std::move(*sockets), loop_nets_)) return cannot_listen(address, errno);
  if (*tls != nullptr) listener->use(**tls);
  if (!listener->open()) {
    listener->close(nullptr);
    return Error{Code::kResourceExhausted,
                 "cannot listen on " + text_of(address) +
                     ": out of watches; raise fs.epoll.max_user_watches",
                 {},
                 0,
                 0};
  }
  listeners_.push_back(std::move(listener));
  return listeners_.back().get();
}

std::vector<Error> Net::reload_certificates() {
  const std::lock_guard lock(mutex_);
  std::vector<Error> failed;
  for (const auto& listener : listeners_) {
    if (listener->certificate() == nullptr) continue;
    const Status outcome = listener->read_certificate();
    if (!outcome) failed.push_back(outcome.error());
  }
  return failed;
}

void Net::watch_certificates(std::uint64_t interval_ms, CertificateReport report) {
  assert(certificate_watch_ == nullptr);
  const auto look = [this, report = std::move(report)] {
    const std::lock_guard lock(mutex_);
    for (const auto& listener : listeners_) {
      CertificateFiles* const files = listener->certificate();
      if (files == nullptr || !files->have_changed()) continue;
      report(files->certificate(), listener->read_certificate());
    }
  };
  certificate_watch_ = std::make_unique<PeriodicThread>(interval_ms, look);
}

Result<OwnedDescriptors> Net::sockets_for(ListenAddress& address) {
  if (address.has_any_port()) return open_listening_sockets(address, loops_.count());
  if (const Listener* other = find(address); other != nullptr) {
    OwnedDescriptors shared;
    for (const int descriptor : other->sockets().descriptors) {
      const int another = duplicate(descriptor);
      if (another < 0) return cannot_listen(address, errno);
      shared.add(another);
    }
    return Result<OwnedDescriptors>(std::move(shared));
  }
  const auto is_it = [text = text_of(address)](const auto& each) { return each.address == text; };
  const auto adopted = std::find_if(adopted_.begin(), adopted_.end(), is_it);
  if (adopted == adopted_.end()) return open_listening_sockets(address, loops_.count());
  OwnedDescriptors taken(std::move(adopted->descriptors));
  adopted_.erase(adopted);
  return Result<OwnedDescriptors>(std::move(taken));
}

Listener* Net::find(const ListenAddress& address) const {
  const auto is_it = [text = text_of(address)](const auto& listener) {
    return text_of(listener->address()) == text;
  };
  const auto found = std::find_if(listeners_.rbegin(), listeners_.rend(), is_it);
  return found == listeners_.rend() ? nullptr : found->get();
}

void Net::close_listener(Listener& listener) {
  const std::lock_guard lock(mutex_);
  const auto is_it = [&](const auto& each) { return each.get() == &listener; };
  const auto found = std::find_if(listeners_.begin(), listeners_.end(), is_it);
  const std::unique_ptr<Listener> closing = std::move(*found);
  listeners_.erase(found);
  Listener* const successor = find(listener.address());
  closing->close(successor);
  if (successor == nullptr && listener.address().is_unix()) {
    remove_dead_socket(listener.address().unix_path);
  }
}

std::vector<ListeningSockets> Net::listening_sockets() const {
  const std::lock_guard lock(mutex_);
  std::vector<ListeningSockets> all;
  for (const auto& listener : listeners_) {
    if (find(listener->address()) == listener.get()) all.push_back(listener->sockets());
  }
  return all;
}

void Net::adopt(std::vector<ListeningSockets> sockets) {
  for (ListeningSockets& each : sockets) {
    if (!each.descriptors.empty()) adopted_.push_back(std::move(each));
  }
}

void Net::drop_unused() {
  for (ListeningSockets& each : std::exchange(adopted_, {})) {
    { const OwnedDescriptors closing(std::move(each.descriptors)); }
    const auto address = parse_listen_address(each.address);
    if (address && address->is_unix()) remove_dead_socket(address->unix_path);
  }
}

}  // namespace backplane
