// SPDX-License-Identifier: Apache-2.0
// The rules a file must pass before it is mapped, and the messages when it does not. The messages
// are part of the contract: they name the file, both versions and the remedy. Any thread.
#pragma once

#include "runtime/plugin/elf.hpp"
#include "runtime/plugin/manifest.hpp"

#include <string>

namespace backplane {

// What this runtime speaks, from backplane/abi.h.
AbiVersion runtime_abi();

// The policy of backplane/abi.h: equal majors; while the major is 0 equal minors; from 1.0 on the
// plugin's required minor is at most the runtime's. `file` begins the message.
Status check_abi(const std::string& file, const AbiVersion& plugin, const AbiVersion& runtime);

// The entry symbol of this runtime's major is exported, nothing of the host is left undefined, and
// the stack stays not executable.
Status check_elf(const std::string& file, const ElfReport& report);

// What the conformance check asks beyond that: one exported symbol, no absolute RUNPATH.
Status check_exports(const std::string& file, const ElfReport& report);
Status check_runpath(const std::string& file, const ElfReport& report);

}  // namespace backplane
