// SPDX-License-Identifier: Apache-2.0
// What a shared library says about itself in its ELF headers and dynamic symbols, read by ourselves
// before any of its code can run. The file may be hostile: every offset is checked, every table has
// a bound. Source: the System V ABI, chapters 4 and 5, and the GNU hash section as ld writes it.
#pragma once

#include <backplane/result.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace backplane {

struct ElfReport {
  std::vector<std::string> entries;    // exported symbols bp_plugin_entry_v*
  std::vector<std::string> exports;    // the other exported symbols
  std::vector<std::string> undefined;  // undefined symbols that begin with bp_
  std::vector<std::string> needed;     // libraries it links
  std::string runpath;
  bool executable_stack = false;
};

// Bounds of what is read; a file beyond them is refused.
inline constexpr std::uint64_t kProgramHeadersMax = 256;
inline constexpr std::uint64_t kDynamicEntriesMax = 4096;
inline constexpr std::uint64_t kSymbolsMax = 1U << 20U;
inline constexpr std::uint64_t kStringBytesMax = 64U << 20U;
inline constexpr std::uint64_t kSymbolNameBytesMax = 4096;

// Any thread. Errors name the file, what is wrong and the remedy.
Result<ElfReport> read_elf(const std::filesystem::path& file);

}  // namespace backplane
