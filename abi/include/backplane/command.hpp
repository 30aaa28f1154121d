// SPDX-License-Identifier: Apache-2.0
// The C++17 SDK for subcommands of the program (<backplane/command.h>): a function for each.
//
//   std::uint32_t greet(backplane::Host host, const std::vector<std::string>& arguments);
//   constexpr bp_command kCommands[] = {backplane::command<&greet>("greet", "Print a greeting")};
//   BP_EXPORT_BACKEND_WITH_COMMANDS(Echo, kSchema, kCommands);
//
// `arguments` are those after the name. bp_add_plugin lists the names too: COMMANDS greet.
#pragma once

#include <backplane/command.h>
#include <backplane/plugin.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

using CommandFunction = std::uint32_t (*)(Host host, const std::vector<std::string>& arguments);

namespace sdk {

// An exception ends the command: one line on standard error, status 1.
template <CommandFunction kRun>
std::uint32_t run_command(const bp_host* host, const bp_str* arguments,
                          std::uint64_t argument_count) noexcept {
  bp_error error{};
  std::uint32_t status = 1;
  const std::uint32_t code = guarded(&error, [&]() -> std::uint32_t {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < argument_count; ++i) texts.emplace_back(view(arguments[i]));
    status = kRun(Host(host), texts);
    return BP_CODE_OK;
  });
  if (code != BP_CODE_OK) std::fprintf(stderr, "backplane: %s\n", error.message);
  return status;
}

}  // namespace sdk

// Borrows both texts: give literals.
template <CommandFunction kRun>
constexpr bp_command command(std::string_view name, std::string_view about) {
  return {sizeof(bp_command),
          0,
          {name.data(), name.size()},
          {about.data(), about.size()},
          &sdk::run_command<kRun>};
}

}  // namespace backplane

// `commands` is an array of bp_command that lives as long as the library.
#define BP_EXPORT_TABLE_WITH_COMMANDS(Table, schema, commands)                 \
  static const void* bp_find_interface(bp_str id) {                            \
    static const bp_commands kTable{sizeof(bp_commands), 0, commands,          \
                                    sizeof(commands) / sizeof((commands)[0])}; \
    if (::backplane::view(id) == BP_COMMANDS_ID) return &kTable;               \
    return ::backplane::view(id) == Table::kId ? &Table::kTable : nullptr;     \
  }                                                                            \
  BP_EXPORT_ENTRY(schema)
#define BP_EXPORT_BACKEND_WITH_COMMANDS(Class, schema, commands) \
  BP_EXPORT_TABLE_WITH_COMMANDS(::backplane::sdk::BackendTable<Class>, schema, commands)
#define BP_EXPORT_TRANSPORT_WITH_COMMANDS(Class, schema, commands) \
  BP_EXPORT_TABLE_WITH_COMMANDS(::backplane::sdk::TransportTable<Class>, schema, commands)
#define BP_EXPORT_PAYMENT_WITH_COMMANDS(Class, schema, commands) \
  BP_EXPORT_TABLE_WITH_COMMANDS(::backplane::sdk::PaymentTable<Class>, schema, commands)
