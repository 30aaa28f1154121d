// SPDX-License-Identifier: Apache-2.0
// A deployment that runs: loops, services, plugins and the gateway between them. Without global
// state: two of them live in one process.
#pragma once

#include "runtime/config/deployment.hpp"

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <vector>

namespace backplane {

class Runtime {
 public:
  // Starts everything; on failure nothing is left running. Blocks while models load. [control]
  static Result<std::unique_ptr<Runtime>> start(config::Deployment deployment);
  // Stops without grace what stop has not stopped.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Where the transports listen, e.g. "127.0.0.1:8080".
  std::vector<std::string> addresses() const;
  std::vector<std::string> models() const;

  // Takes no new call, lets the running ones end within the deployment's drain_ms, ends the rest
  // and stops. Blocks. [control] Idempotent.
  void stop();

 private:
  class Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace backplane
