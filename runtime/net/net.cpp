// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/net.hpp"

#include <backplane/plugin.hpp>

#include <unistd.h>

#include <algorithm>
#include <string>

#include "runtime/net/connection.hpp"
#include "runtime/net/listen_address.hpp"
#include "runtime/net/listener.hpp"
#include "runtime/net/loop_net.hpp"

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

Result<TlsContext> tls_of(const bp_listen_options& options) {
  const std::string certificate = string_of(options.tls_certificate);
  const std::string key = string_of(options.tls_key);
  if (certificate.empty() && key.empty()) return TlsContext();
  if (certificate.empty() || key.empty()) {
    return invalid_argument("cannot listen on " + string_of(options.address) +
                            ": TLS needs both a certificate and its key");
  }
  return make_server_context(certificate, key);
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
  while (!listeners_.empty()) close_listener(*listeners_.back());
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

void Net::abort_all() {
  for (const auto& net : loop_nets_) net->loop().run_and_wait([&] { net->abort_all(); });
  // One more turn: `closed` is told at the end of the first.
  for (const auto& net : loop_nets_) net->loop().run_and_wait([] {});
}

Result<Listener*> Net::listen(const bp_listen_options& options, const bp_listen_handler& handler) {
  auto address = parse_listen_address(string_of(options.address));
  if (!address) return address.error();
  auto tls = tls_of(options);
  if (!tls) return tls.error();
  const Status free = check_free(*address);
  if (!free) return free.error();

  std::vector<int> descriptors;
  for (std::uint32_t index = 0; index < loops_.count(); ++index) {
    const auto descriptor = open_listening_socket(*address);
    if (!descriptor) {
      std::for_each(descriptors.begin(), descriptors.end(), ::close);
      return descriptor.error();
    }
    descriptors.push_back(*descriptor);
    set_port(*address, port_of(local_address(*descriptor)));
  }
  const std::uint32_t most =
      options.max_connections == 0 ? kConnectionsMaxDefault : options.max_connections;
  auto listener =
      std::make_unique<Listener>(*this, handler, most, std::move(*tls), port_of(*address));
  for (std::size_t index = 0; index < descriptors.size(); ++index) {
    listener->add(*loop_nets_[index], descriptors[index]);
  }
  if (!listener->open()) {
    listener->close();
    return Error{Code::kResourceExhausted,
                 "cannot listen on " + text_of(*address) +
                     ": out of watches; raise fs.epoll.max_user_watches",
                 {},
                 0,
                 0};
  }
  listeners_.push_back(std::move(listener));
  return listeners_.back().get();
}

void Net::close_listener(Listener& listener) {
  listener.close();
  const auto is_it = [&](const auto& each) { return each.get() == &listener; };
  listeners_.erase(std::find_if(listeners_.begin(), listeners_.end(), is_it));
}

}  // namespace backplane
