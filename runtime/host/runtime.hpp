// SPDX-License-Identifier: Apache-2.0
// A deployment that runs: loops, services, plugins and the gateway between them; another one can
// take its place without a call lost. Without global state: two of them live in one process.
#pragma once

#include "runtime/config/deployment.hpp"
#include "runtime/host/reload_outcome.hpp"
#include "runtime/net/listening_socket.hpp"

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <vector>

namespace backplane {

struct StartOptions {
  // Sockets that another process listens with; those that the deployment names are used, the rest
  // is closed. Owned, whatever comes of the start.
  std::vector<ListeningSockets> adopted;
};

class Runtime {
 public:
  // Starts everything; on failure nothing is left running. Blocks while models load. [control]
  static Result<std::unique_ptr<Runtime>> start(config::Deployment deployment,
                                                StartOptions options = {});
  // Stops without grace what stop has not stopped.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Where the transports listen, e.g. "127.0.0.1:8080". [any-thread]
  std::vector<std::string> addresses() const;
  std::vector<std::string> models() const;  // [any-thread]

  // Puts another deployment, or what the file says now, in the place of the one that serves: calls
  // that run end on what they began with, an instance that would be made just so again is kept.
  // Where anything fails nothing changes. Blocks while models load; one at a time. [any-thread] but
  // not one of the runtime's own.
  ReloadOutcome reload(config::Deployment deployment);
  ReloadOutcome reload();

  // Gives another process what it needs for StartOptions::adopted. [any-thread] likewise.
  Status send_sockets(int unix_fd);

  // Takes no new call, lets the running ones end within the deployment's drain_ms, ends the rest
  // and stops. A reload in hand changes nothing any more; the plugin that it starts just then is
  // waited for after the calls. Blocks. [control] Idempotent.
  void stop();

 private:
  class Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);
  ReloadOutcome reload_and_wait(std::optional<config::Deployment> deployment);
  std::unique_ptr<Parts> parts_;
};

}  // namespace backplane
