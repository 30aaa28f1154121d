// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "plugins/backends/local/commands/commands.hpp"
#include "plugins/backends/local/commands/model_commands.hpp"

namespace backplane::local {
namespace {

constexpr const char* kStoreText =
    "Folder of the store (default: $BACKPLANE_MODELS, else backplane/models in $XDG_DATA_HOME or "
    "~/.local/share)";

CLI::App* add(CLI::App& app, const char* name, const char* text, std::string& store) {
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("--store", store, kStoreText);
  return command;
}

void add_pull(CLI::App& app, PullArguments& pull, std::uint32_t& status) {
  CLI::App* command = add(app, "pull",
                          "Bring a model from the hub into the store; run again after an "
                          "interruption it goes on where it was",
                          pull.store);
  command
      ->add_option("SOURCE", pull.source,
                   "hf:ORG/REPO[@REVISION][:FILE]; FILE is a path there or a tag like Q4_K_M")
      ->required();
  command->add_option("--url", pull.url,
                      "The hub or a mirror of it (default: $HF_ENDPOINT, else huggingface.co)");
  command->add_option("--connections", pull.connections, "Ranges of a file at the same time")
      ->check(CLI::Range(std::size_t{1}, kConnectionsMax))
      ->capture_default_str();
  command->add_option("--retries", pull.retries, "Failures in a row before giving up")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--timeout", pull.idle_timeout_s, "Seconds without a byte before a retry")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_flag("--quiet", pull.is_quiet, "No progress");
  command->callback([&] { status = model_pull(pull); });
}

void add_list(CLI::App& app, ListArguments& list, std::uint32_t& status) {
  CLI::App* command = add(app, "list", "List the models in the store", list.store);
  command->add_flag("--json", list.is_json, "Print JSON");
  command->callback([&] { status = model_list(list); });
}

void add_info(CLI::App& app, InfoArguments& info, std::uint32_t& status) {
  CLI::App* command = add(app, "info", "Say what a model file holds", info.store);
  command->add_option("MODEL", info.model, "A path, or hf:ORG/REPO[:FILE] in the store")
      ->required();
  command->add_flag("--tensors", info.has_tensors, "List the tensors too");
  command->add_flag("--json", info.is_json, "Print JSON");
  command->callback([&] { status = model_info(info); });
}

void add_evaluation(CLI::App& command, EvaluateArguments& evaluate) {
  command.add_option("--context", evaluate.context_tokens, "Tokens of a window of the text")
      ->check(CLI::Range(8, 1 << 20))
      ->capture_default_str();
  command.add_option("--windows", evaluate.windows_max, "Windows to evaluate; 0: all");
  command.add_option("--threads", evaluate.threads, "0: as many as the process may use")
      ->check(CLI::Range(0, 1024));
  command.add_flag("--json", evaluate.is_json, "Print JSON");
  command.add_flag("--quiet", evaluate.is_quiet, "No progress");
}

void add_convert(CLI::App& app, ConvertArguments& convert, std::uint32_t& status) {
  CLI::App* command =
      add(app, "convert", "Make a GGUF file of a model, its weights in another type",
          convert.evaluate.store);
  command
      ->add_option("SOURCE", convert.source,
                   "A GGUF file, a folder of safetensors, or hf:ORG/REPO[:FILE] in the store")
      ->required();
  command->add_option("OUT", convert.output, "The GGUF file to make")->required();
  command
      ->add_option(
          "--type", convert.type,
          "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M or "
          "Q6_K")
      ->required();
  command->add_flag("--force", convert.is_forced, "Replace OUT where there is one");
  command->add_option("--evaluate", convert.evaluate.text,
                      "Text file on which to measure the result against the source");
  add_evaluation(*command, convert.evaluate);
  command->callback([&] { status = model_convert(convert); });
}

void add_evaluate(CLI::App& app, EvaluateArguments& evaluate, std::uint32_t& status) {
  CLI::App* command =
      add(app, "evaluate", "Measure how well a model foretells a text", evaluate.store);
  command->add_option("MODEL", evaluate.model, "A path, or hf:ORG/REPO[:FILE] in the store")
      ->required();
  command->add_option("TEXT", evaluate.text, "A text file")->required();
  command->add_option("--against", evaluate.against,
                      "Model from which to measure the divergence, e.g. the one it was made of");
  add_evaluation(*command, evaluate);
  command->callback([&] { status = model_evaluate(evaluate); });
}

void add_remove(CLI::App& app, RemoveArguments& remove, std::uint32_t& status) {
  CLI::App* command = add(app, "rm", "Remove a model from the store", remove.store);
  command->add_option("NAME", remove.name, "hf:ORG/REPO[:FILE], as list prints it")->required();
  command->add_flag("--yes", remove.is_sure, "Do not ask");
  command->callback([&] { status = model_remove(remove); });
}

}  // namespace

std::uint32_t run_model_command(Host, const std::vector<std::string>& arguments) {
  CLI::App app{"Models on this machine's disk", "backplane model"};
  app.require_subcommand(1);
  std::uint32_t status = 0;
  PullArguments pull;
  ListArguments list;
  InfoArguments info;
  RemoveArguments remove;
  ConvertArguments convert;
  EvaluateArguments evaluate;
  add_pull(app, pull, status);
  add_list(app, list, status);
  add_info(app, info, status);
  add_remove(app, remove, status);
  add_convert(app, convert, status);
  add_evaluate(app, evaluate, status);
  std::vector<std::string> words(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace backplane::local
