// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.hpp"
#include "runtime/cli/deployment_file.hpp"
#include "runtime/host/runtime.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <iostream>
#include <memory>
#include <thread>

namespace backplane::cli {
namespace {

struct StopSignals {
  std::atomic<bool> serving{false};
  std::promise<void> first;
};

// Blocked in every thread made from here on, so that only the one made here sees them. It ends the
// process at once unless there is something to drain: starting and draining may take long.
std::shared_ptr<StopSignals> await_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto stop = std::make_shared<StopSignals>();
  std::thread([signals, stop] {
    int signal = 0;
    sigwait(&signals, &signal);
    if (!stop->serving.load()) _exit(1);
    stop->first.set_value();
    sigwait(&signals, &signal);
    _exit(1);
  }).detach();
  return stop;
}

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

}  // namespace

int serve(const ServeOptions& options) {
  const std::shared_ptr<StopSignals> stop = await_stop_signals();
  raise_descriptor_limit();
  auto deployment = load_deployment(options.file, {});
  if (!deployment) return 1;
  auto runtime = Runtime::start(std::move(*deployment));
  if (!runtime) {
    std::cerr << runtime.error().message << '\n';
    return 1;
  }
  stop->serving.store(true);
  announce(**runtime);
  stop->first.get_future().wait();
  std::cout << "draining; a second signal ends at once" << std::endl;
  (*runtime)->stop();
  std::cout << "stopped" << std::endl;
  return 0;
}

}  // namespace backplane::cli
