/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.commands/1: subcommands that a plugin adds to the `backplane` program: `backplane NAME ...`.
 * Offered by a plugin, beside its kind's interface; its manifest lists their names, so that only
 * the plugin that has the command is loaded. Names of the program's own win.
 */
#ifndef BACKPLANE_COMMAND_H
#define BACKPLANE_COMMAND_H

#include <backplane/abi.h>

#define BP_COMMANDS_ID "bp.commands/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_command {
  uint32_t struct_size;
  uint32_t reserved0;
  bp_str name;  /* one word: [a-z][a-z0-9-]* */
  bp_str about; /* one sentence, for the list of commands */

  /*
   * [control] Does the whole work, on the process's standard streams; `arguments` are those after
   * the name, each followed by a 0 byte. Returns the exit status: 0 done, 1 failed, 2 wrong usage.
   * No instance of the plugin exists, and the host offers bp.log and bp.clock alone.
   */
  uint32_t (*run)(const bp_host* host, const bp_str* arguments, uint64_t argument_count);
} bp_command;

/* Static, lives as long as the library is mapped. */
typedef struct bp_commands {
  uint32_t struct_size;
  uint32_t reserved0;
  const bp_command* commands;
  uint64_t command_count;
} bp_commands;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_COMMAND_H */
