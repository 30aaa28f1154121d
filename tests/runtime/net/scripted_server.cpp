// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/net/scripted_server.hpp"

#include <utility>

namespace backplane::testing {

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), accepting_([this] { run(); }) {}

ScriptedServer::~ScriptedServer() {
  listener_.shut();
  accepting_.join();
  for (auto& thread : serving_) thread.join();
}

std::string ScriptedServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port()) + path;
}

void ScriptedServer::run() {
  for (;;) {
    RawSocket peer = listener_.accept();
    if (peer.descriptor() < 0) return;
    serving_.emplace_back(
        [this, number = connections_++](RawSocket mine) { script_(mine, number); },
        std::move(peer));
  }
}

std::string read_request(RawSocket& peer) {
  std::string request = peer.receive_through("\r\n\r\n");
  const std::string name = "Content-Length: ";
  const std::size_t at = request.find(name);
  if (at == std::string::npos) return request;
  return request + peer.receive(std::stoul(request.substr(at + name.size())));
}

ScriptedServer::Script always(std::string response) {
  return [response = std::move(response)](RawSocket& peer, int) {
    while (!read_request(peer).empty() && peer.send(response)) {
    }
  };
}

std::string response_with(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace backplane::testing
