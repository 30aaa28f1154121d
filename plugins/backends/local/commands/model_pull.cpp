// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <iostream>

#include "plugins/backends/local/commands/model_commands.hpp"

namespace backplane::local {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// While it lives, the first SIGINT or SIGTERM only sets `interrupted`; a second one ends the
// process.
class Interruption {
 public:
  Interruption() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~Interruption() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
  }

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

}  // namespace

std::uint32_t command_failed(const Error& error) {
  std::cerr << "backplane: " << error.message << '\n';
  return 1;
}

Result<ModelStore> store_at(const std::string& path) {
  if (!path.empty()) return ModelStore(path);
  const auto root = default_store_path();
  if (!root) return root.error();
  return ModelStore(*root);
}

Result<std::string> path_of_model(const std::string& model, const std::string& store) {
  if (store.empty() || !is_model_source(model)) return find_model_path(model);
  const auto source = parse_model_source(model);
  if (!source) return source.error();
  const auto found = ModelStore(store).find(*source);
  if (!found) return found.error();
  return found->path;
}

std::uint32_t model_pull(const PullArguments& arguments) {
  const auto store = store_at(arguments.store);
  if (!store) return command_failed(store.error());
  const auto source = parse_model_source(arguments.source);
  if (!source) return command_failed(source.error());
  PullOptions options;
  options.source = *source;
  options.store = store->root();
  options.hub = arguments.url;
  options.idle_timeout_s = arguments.idle_timeout_s;
  options.download.connections = arguments.connections;
  options.download.retries = arguments.retries;
  options.download.should_stop = [] { return interrupted != 0; };
  const Interruption interruption;
  Progress progress(Progress::style_of_stderr(arguments.is_quiet));
  const auto model = pull_model(options, progress);
  progress.end();
  if (!model && model.error().code == Code::kCancelled) {
    std::cerr << "interrupted; run the same command again to go on\n";
    return 1;
  }
  if (!model) return command_failed(model.error());
  std::cout << model->name << "  " << model->path << '\n';
  return 0;
}

}  // namespace backplane::local
