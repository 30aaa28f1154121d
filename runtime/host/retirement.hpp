// SPDX-License-Identifier: Apache-2.0
// What no new call reaches any more, and some old one may still need: deployments that have been
// replaced, transports whose connections live on, backends with a call that has not ended, payments
// that have not answered. All [control].
#pragma once

#include "runtime/host/running_deployment.hpp"

#include <cstdint>
#include <list>
#include <memory>

namespace backplane {

class Retirement {
 public:
  explicit Retirement(HostServices& host) : host_(host) {}
  Retirement(const Retirement&) = delete;
  Retirement& operator=(const Retirement&) = delete;

  // It has been replaced. Those of its transports that nothing runs any more are drained at once.
  void add(std::unique_ptr<RunningDeployment> deployment);
  // It has never served: ends what it alone has started. A transport may have connections already.
  void undo(std::unique_ptr<RunningDeployment> deployment);

  // Ends what nothing uses any more; true where something is left.
  bool tidy();

  // The runtime ends: tells all of them.
  void drain(std::int64_t deadline_ns);
  // The deployment that served last and has been drained.
  void add_last(std::unique_ptr<RunningDeployment> last);
  // After its calls. False where a backend was left alone, with a call that never ended, or a
  // payment that never answered: nothing that it was given is to be freed.
  bool end_all();

 private:
  struct DrainingTransport {
    std::shared_ptr<RunningTransport> transport;
    std::int64_t deadline_ns;
  };
  void retire_transports(RunningDeployment& deployment, std::int64_t patience_ms);
  void retire_others(RunningDeployment& deployment);
  bool end_transports(bool all);
  bool end_others(bool all = false);

  HostServices& host_;
  std::list<std::unique_ptr<RunningDeployment>> deployments_;
  std::list<DrainingTransport> transports_;
  std::list<std::shared_ptr<RunningBackend>> backends_;
  std::list<std::shared_ptr<RunningPayment>> payments_;
};

}  // namespace backplane
