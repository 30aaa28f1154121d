// SPDX-License-Identifier: Apache-2.0
#include "runtime/admin/server.hpp"

#include "runtime/admin/connection.hpp"

#include <backplane/plugin.hpp>

namespace backplane {

AdminServer::AdminServer(std::string listen, std::string_view token, Net& net,
                         const bp_loop_service& loops, AdminOperations& operations)
    : listen_(std::move(listen)),
      token_(token),
      net_(net),
      loops_(loops),
      operations_(operations) {}

Result<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& listen,
                                                        std::string_view token, Net& net,
                                                        const bp_loop_service& loops,
                                                        AdminOperations& operations) {
  std::unique_ptr<AdminServer> server(new AdminServer(listen, token, net, loops, operations));
  if (const Status listening = server->listen(); !listening) return listening.error();
  return server;
}

AdminServer::~AdminServer() {
  drain();
  net_.abort_all();
}

Status AdminServer::listen() {
  bp_listen_options options{};
  options.struct_size = sizeof(options);
  options.max_connections = kAdminConnectionsMax;
  options.address = str(listen_);
  const bp_listen_handler handler{
      sizeof(bp_listen_handler), 0, this, [](void* self, bp_connection* connection) {
        AdminConnection::open(*static_cast<AdminServer*>(self), connection);
      }};
  bp_error error{};
  if (net().listen(net().context, &options, &handler, &listener_, &error) != BP_CODE_OK) {
    return error_of(error);
  }
  port_ = net().port(listener_);
  return ok();
}

void AdminServer::drain() {
  draining_.store(true);
  if (bp_listener* const listener = std::exchange(listener_, nullptr)) {
    net().close_listener(listener);
  }
}

std::string AdminServer::address() const {
  const std::size_t colon = listen_.rfind(':');
  return port_ == 0 ? listen_ : listen_.substr(0, colon + 1) + std::to_string(port_);
}

bool AdminServer::has(const std::string& listen, std::string_view token) const {
  return listen_ == listen && token_ == AdminToken(token);
}

}  // namespace backplane
