// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include "http1_connection.hpp"
#include "json_text.hpp"

namespace backplane::http {
namespace {

using Shared = std::shared_ptr<LoopShared>;

void run_drain(void* argument) {
  const std::unique_ptr<Shared> shared(static_cast<Shared*>(argument));
  sdk::guarded_void([&] { (*shared)->drain_all(); });
}

Error missing(const char* id) {
  return {Code::kFailedPrecondition, std::string("the host does not offer ") + id, {}, 0, 0};
}

}  // namespace

Result<Services> Server::find_services(Host host) {
  const Services found{host.find<bp_net>(BP_NET_ID), host.find<bp_loop_service>(BP_LOOP_ID),
                       host.find<bp_gateway>(BP_GATEWAY_ID), host.find<bp_clock>(BP_CLOCK_ID)};
  if (!BP_HAS(found.net, peer)) return missing(BP_NET_ID);
  if (!BP_HAS(found.loop, post)) return missing(BP_LOOP_ID);
  if (!BP_HAS(found.gateway, metrics)) return missing(BP_GATEWAY_ID);
  if (!BP_HAS(found.clock, random)) return missing(BP_CLOCK_ID);
  return found;
}

Server::Server(const Services& services, Settings settings)
    : services_(services),
      settings_(std::move(settings)),
      bodies_(std::make_shared<BodyBudget>(settings_.max_held_body_bytes)) {
  for (std::uint32_t i = 0; i < services_.loop->count; ++i) {
    loops_.push_back(services_.loop->at(services_.loop->context, i));
    shared_.push_back(std::make_shared<LoopShared>());
  }
}

Status Server::listen() {
  bp_listen_options options{};
  options.struct_size = sizeof(options);
  options.max_connections = settings_.max_connections;
  options.address = str(settings_.listen);
  options.tls_certificate = str(settings_.tls_certificate);
  options.tls_key = str(settings_.tls_key);
  options.alpn = str(settings_.http2 ? "h2,http/1.1" : "http/1.1");
  options.flags = settings_.proxy_protocol ? BP_LISTEN_PROXY_PROTOCOL : 0;
  options.write_bytes_per_second_min = settings_.min_write_rate;
  const bp_listen_handler handler{sizeof(bp_listen_handler), 0, this,
                                  [](void* self, bp_connection* connection) {
                                    static_cast<Server*>(self)->accept(connection);
                                  }};
  const bp_net& net = *services_.net;
  bp_error error{};
  if (net.listen(net.context, &options, &handler, &listener_, &error) != BP_CODE_OK) {
    return error_of(error);
  }
  port_ = net.port(listener_);
  return ok();
}

void Server::accept(bp_connection* connection) {
  try {
    Http1Connection::open(*this, shared_of(services_.net->loop(connection)), connection);
  } catch (...) {
    services_.net->abort(connection);
  }
}

std::shared_ptr<LoopShared> Server::shared_of(const bp_loop* loop) const {
  std::size_t index = 0;
  while (index + 1 < loops_.size() && loops_[index] != loop) ++index;
  assert(loops_[index] == loop);
  return shared_[index];
}

void Server::drain() {
  draining_ = true;
  close_listener();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    services_.loop->post(loops_[i], &run_drain, new Shared(shared_[i]));
  }
}

void Server::close_listener() {
  if (listener_ != nullptr) services_.net->close_listener(listener_);
  listener_ = nullptr;
}

std::string Server::describe() const {
  std::string address = settings_.listen;
  const std::size_t colon = address.rfind(':');
  if (colon != std::string::npos && port_ != 0) {
    address.resize(colon + 1);
    append_number(address, port_);
  }
  std::string document = R"({"listen":[)";
  append_json_string(document, address);
  document += "]}";
  return document;
}

}  // namespace backplane::http
