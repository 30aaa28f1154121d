// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.hpp"
#include "runtime/cli/deployment_file.hpp"
#include "runtime/host/runtime.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <thread>

namespace backplane::cli {
namespace {

// Blocked in every thread made from here on, so that only wait_for_signal sees them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
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
  sigset_t signals = block_stop_signals();
  auto deployment = load_deployment(options.file, {});
  if (!deployment) return 1;
  auto runtime = Runtime::start(std::move(*deployment));
  if (!runtime) {
    std::cerr << runtime.error().message << '\n';
    return 1;
  }
  announce(**runtime);
  int signal = 0;
  sigwait(&signals, &signal);
  std::cout << "draining; a second signal ends at once" << std::endl;
  // The second signal must not wait for the drain.
  std::thread([signals] {
    int second = 0;
    sigwait(&signals, &second);
    _exit(1);
  }).detach();
  (*runtime)->stop();
  std::cout << "stopped" << std::endl;
  return 0;
}

}  // namespace backplane::cli
