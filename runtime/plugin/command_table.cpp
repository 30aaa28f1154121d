// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/command_table.hpp"

#include "runtime/config/suggestion.hpp"

#include <backplane/plugin.hpp>

#include <algorithm>
#include <vector>

namespace backplane {
namespace {

constexpr std::uint64_t kAboutBytesMax = 256;

const bp_commands* table_of(const bp_plugin& plugin) {
  return static_cast<const bp_commands*>(plugin.get_interface(str(BP_COMMANDS_ID)));
}

Error refused(const std::string& file, const std::string& why) {
  return {Code::kFailedPrecondition, file + ": " BP_COMMANDS_ID " " + why, {}, 0, 0};
}

Status check_table(const std::string& file, const bp_commands& table) {
  if (table.struct_size < sizeof(bp_commands)) {
    return refused(file, "has struct_size " + std::to_string(table.struct_size) + ", it needs " +
                             std::to_string(sizeof(bp_commands)) +
                             "; set it to the size of the struct");
  }
  if (table.command_count > kCommandsMax || (table.commands == nullptr && table.command_count)) {
    return refused(file, "has no array of at most " + std::to_string(kCommandsMax) + " commands");
  }
  return ok();
}

Status check_command(const std::string& file, const bp_command& command) {
  if (command.struct_size != sizeof(bp_command)) {
    return refused(file, "has a command with struct_size " + std::to_string(command.struct_size) +
                             ", it needs " + std::to_string(sizeof(bp_command)) +
                             "; set it to sizeof(bp_command)");
  }
  if (!is_command_name(view(command.name))) {
    return refused(file,
                   "has the command name " + config::quote(view(command.name)) +
                       "; names are of a-z, 0-9 and '-', at most 32, and begin with a letter");
  }
  const std::string name = config::quote(view(command.name));
  const std::string_view about = view(command.about);
  if (about.empty() || about.size() > kAboutBytesMax || about.find('\n') != about.npos) {
    return refused(file, "says nothing about the command " + name +
                             "; give it one sentence on one line, at most 256 bytes");
  }
  if (command.run == nullptr) return refused(file, "leaves run of the command " + name + " null");
  return ok();
}

}  // namespace

Status check_commands(const std::string& file, const bp_plugin& plugin, const Manifest& manifest) {
  const bp_commands* table = table_of(plugin);
  if (table == nullptr && manifest.commands.empty()) return ok();
  if (table == nullptr) {
    return refused(file, "is not offered, but its manifest lists " +
                             config::list_names(manifest.commands) +
                             "; let get_interface return the table");
  }
  if (Status status = check_table(file, *table); !status) return status;
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < table->command_count; ++i) {
    if (Status status = check_command(file, table->commands[i]); !status) return status;
    names.emplace_back(view(table->commands[i].name));
  }
  std::vector<std::string> listed = manifest.commands;
  std::sort(listed.begin(), listed.end());
  std::sort(names.begin(), names.end());
  if (names == listed) return ok();
  return refused(file, "has the commands " + config::list_names(names) + ", its manifest says " +
                           config::list_names(listed) + "; name them in COMMANDS of bp_add_plugin");
}

const bp_command* find_command(const bp_plugin& plugin, std::string_view name) {
  const bp_commands* table = table_of(plugin);
  if (table == nullptr) return nullptr;
  for (std::uint64_t i = 0; i < table->command_count; ++i) {
    if (view(table->commands[i].name) == name) return &table->commands[i];
  }
  return nullptr;
}

}  // namespace backplane
