// SPDX-License-Identifier: Apache-2.0
#include "runtime/include/backplane/embed.h"

#include "runtime/cli/commands.hpp"
#include "runtime/cli/plugin_commands.hpp"

#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>

namespace backplane::cli {
namespace {

// A socket would take the number of one that is closed, and what is printed would go there.
void open_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

void add_file_commands(CLI::App& app, int& status) {
  auto* serve_command = app.add_subcommand(
      "serve",
      "Run a deployment until SIGTERM or SIGINT, which let running calls end; a second one ends at "
      "once. SIGHUP reads the file again: a file with a fault changes nothing");
  auto serving = std::make_shared<ServeOptions>();
  serve_command->add_option("FILE", serving->file, "Deployment file (YAML)")->required();
  serve_command->add_option(
      "--handover", serving->handover,
      "Path of a Unix socket for rolling restarts. Where a process serves there, take over its "
      "listening sockets, start, and only then have it drain and end; then serve there for the "
      "next one");
  serve_command->callback([serving, &status] { status = serve(*serving); });

  auto* check_command = app.add_subcommand("check", "Check a deployment file");
  auto checking = std::make_shared<CheckOptions>();
  check_command->add_option("FILE", checking->file, "Deployment file (YAML)")->required();
  check_command->add_flag("--no-env", checking->no_env,
                          "Check all but the values of environment variables and files");
  check_command->callback([checking, &status] { status = check(*checking); });

  auto* explain_command = app.add_subcommand(
      "explain", "Print what a deployment file amounts to and where each value comes from");
  auto explaining = std::make_shared<ExplainOptions>();
  explain_command->add_option("FILE", explaining->file, "Deployment file (YAML)")->required();
  explain_command->add_option("MODEL", explaining->model,
                              "Say which routes would serve this model, in order");
  explain_command->add_flag("--no-env", explaining->no_env,
                            "Do without the values of environment variables and files");
  explain_command->callback([explaining, &status] { status = explain(*explaining); });

  auto* schema_command = app.add_subcommand(
      "schema", "Print the JSON Schema of the deployment file, or of one plugin's settings");
  auto shown = std::make_shared<SchemaOptions>();
  schema_command->add_option("PLUGIN", shown->plugin, "Name of a plugin, e.g. http");
  schema_command->add_flag("--markdown", shown->markdown,
                           "Print tables of every key, of the file and of all plugins, instead");
  schema_command->callback([shown, &status] { status = schema(*shown); });
}

void add_plugin_commands(CLI::App& app, int& status) {
  auto* group = app.add_subcommand("plugin", "Look at plugins");
  group->require_subcommand(1);
  auto options = std::make_shared<PluginFileOptions>();
  const auto add = [&](const char* name, const char* text, bool wants_file) {
    auto* command = group->add_subcommand(name, text);
    if (wants_file) command->add_option("FILE", options->file, "Plugin file (.so)")->required();
    command->add_flag("--json", options->json, "Print JSON");
    return command;
  };
  add("list", "List the plugins that deployments can use", false)->callback([options, &status] {
    status = plugin_list(options->json);
  });
  add("info", "Print what a plugin file says about itself", true)->callback([options, &status] {
    status = plugin_info(*options);
  });
  auto* check_command = add("check", "Test a plugin file against the ABI", true);
  check_command->add_option("--settings", options->settings,
                            "Settings to create it with, as JSON (default: the schema's)");
  check_command->add_option("--only", options->only, "Run the tests whose name contains this");
  check_command->callback([options, &status] { status = plugin_check(*options); });
}

void add_chat_command(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("chat", "Chat with a deployment in the terminal");
  auto options = std::make_shared<ChatOptions>();
  command->add_option("--url", options->url, "Base URL of the API")->capture_default_str();
  command->add_option("--model", options->model, "Model (default: the first one listed)");
  command->add_option("--system", options->system, "System message");
  command->add_option("--once", options->once, "Ask this, print the answer and exit");
  command->add_option("--serve", options->deployment,
                      "Serve this deployment file within this process and chat with it");
  command
      ->add_option("--key-env", options->key_variable,
                   "Environment variable that holds the API key")
      ->capture_default_str();
  command->add_option("--temperature", options->temperature, "Sampling temperature")
      ->check(CLI::Range(0.0, 2.0));
  command->add_option("--max-tokens", options->max_tokens, "Most tokens of an answer");
  command->callback([options, &status] { status = chat(*options); });
}

std::vector<std::string> names_of(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// Those of plugins are known to the parser for the list of commands alone.
int parse(CLI::App& app, int argc, char** argv, int& status) {
  const std::vector<std::string> own = names_of(app);
  const std::string first = argc > 1 ? argv[1] : "";
  const bool is_word = !first.empty() && first.front() != '-';
  if (is_word && std::find(own.begin(), own.end(), first) == own.end()) {
    return run_plugin_command(first, {argv + 2, argv + argc}, own);
  }
  if (first == "--help" || first == "-h") {
    for (const PluginCommand& command : plugin_commands(own)) {
      app.add_subcommand(command.name, command.about);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace
}  // namespace backplane::cli

int backplane_main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  backplane::cli::open_standard_descriptors();
  CLI::App app{"Backplane: a plugin-based inference runtime", "backplane"};
  app.set_version_flag("--version", "backplane " BACKPLANE_VERSION);
  app.require_subcommand(1);
  int status = 0;
  backplane::cli::add_file_commands(app, status);
  backplane::cli::add_plugin_commands(app, status);
  backplane::cli::add_chat_command(app, status);
  try {
    return backplane::cli::parse(app, argc, argv, status);
  } catch (const std::exception& error) {
    std::cerr << "backplane: " << error.what() << '\n';
    return 1;
  }
}
