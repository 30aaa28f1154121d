// SPDX-License-Identifier: Apache-2.0
// The host's interfaces that a call over HTTP needs, found once.
#pragma once

#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/loop.h>
#include <backplane/metrics.h>
#include <backplane/plugin.hpp>
#include <backplane/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::dialect {

// Tables live as long as the host.
struct Services {
  Host host;
  const bp_http* http;
  const bp_loop_service* loop;
  const bp_clock* clock;
};

// One series of the host's metrics; counts nothing where the host has none.
class Counter {
 public:
  Counter() = default;
  // [control] `name` and `help` as in bp_metric_options; `backend` is the label of that name.
  Counter(const Host& host, std::string_view name, std::string_view help, std::string_view backend);

  void add() const {
    if (metrics_ != nullptr) metrics_->add(metrics_->context, handle_, 1);
  }

 private:
  const bp_metrics* metrics_ = nullptr;
  std::uint64_t handle_ = 0;
};

// UNIMPLEMENTED, naming the interface, where the host lacks one.
Result<Services> find_services(Host host);

// The value behind a reference found in the settings, without the space around it. The host's error
// names no reference.
Result<std::string> read_secret(const Host& host, std::string_view reference);

}  // namespace backplane::dialect
