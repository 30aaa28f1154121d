// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.hpp"
#include "runtime/cli/deployment_file.hpp"
#include "runtime/cli/serve_events.hpp"
#include "runtime/cli/serve_handover.hpp"
#include "runtime/host/runtime.hpp"

#include <sys/resource.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace backplane::cli {
namespace {

// Every connection takes a descriptor; the limit that is in force is often far below the one that
// is allowed.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void announce(const Runtime& runtime) {
  std::string models;
  for (const std::string& model : runtime.models()) models += (models.empty() ? "" : ", ") + model;
  for (const std::string& address : runtime.addresses()) {
    std::cout << "listening on " << address << '\n';
  }
  std::cout << "models: " << (models.empty() ? "none" : models) << std::endl;
}

int refuse(const Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

void reload(Runtime& runtime) {
  std::cout << "reloading\n" << std::flush;
  const ReloadOutcome outcome = runtime.reload();
  const std::string what = outcome ? "reloaded" : "the reload failed, the log says why";
  std::cout << what + "; generation " + std::to_string(outcome.generation) + " serves\n"
            << std::flush;
}

Result<std::unique_ptr<Runtime>> start(config::Deployment deployment,
                                       std::optional<Predecessor>& predecessor) {
  StartOptions options;
  if (predecessor) {
    auto sockets = predecessor->take_sockets();
    if (!sockets) return sockets.error();
    options.adopted = std::move(*sockets);
    std::cout << "taking over from process " << predecessor->process() << std::endl;
  }
  return Runtime::start(std::move(deployment), std::move(options));
}

void announce_end(ServeEvent event) {
  std::cout << (event == ServeEvent::kTakenOver ? "another process serves; draining"
                                                : "draining; a second signal ends at once")
            << std::endl;
}

}  // namespace

int serve(const ServeOptions& options) {
  const std::shared_ptr<ServeEvents> events = ServeEvents::from_signals();
  raise_descriptor_limit();
  auto deployment = load_deployment(options.file, {});
  if (!deployment) return 1;
  std::optional<Predecessor> predecessor;
  if (!options.handover.empty()) {
    auto found = Predecessor::find(options.handover);
    if (!found) return refuse(found.error());
    if (*found) predecessor.emplace(std::move(**found));
  }
  auto runtime = start(std::move(*deployment), predecessor);
  if (!runtime) return refuse(runtime.error());
  std::unique_ptr<HandoverPoint> point;
  if (!options.handover.empty()) {
    auto opened = HandoverPoint::open(options.handover, **runtime,
                                      [events](pid_t) { events->put(ServeEvent::kTakenOver); });
    if (!opened) return refuse(opened.error());
    point = std::move(*opened);
  }
  events->serving();
  announce(**runtime);
  if (predecessor) {
    const Status sent = predecessor->send_away();
    if (!sent) std::cerr << "warning: " << sent.error().message << std::endl;
    predecessor.reset();
  }
  // In a thread of its own: a model that loads for long must not keep the process from draining.
  std::thread reloading([&] {
    while (events->wait_for_reload()) reload(**runtime);
  });
  announce_end(events->wait_for_end());
  if (point != nullptr) point->leave();
  (*runtime)->stop();
  reloading.join();
  point.reset();
  std::cout << "stopped" << std::endl;
  return 0;
}

}  // namespace backplane::cli
