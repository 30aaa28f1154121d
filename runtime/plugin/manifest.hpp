// SPDX-License-Identifier: Apache-2.0
// The manifest <name>.yaml beside a plugin's <name>.so: what the file claims to be, readable
// without running any of its code. bp_add_plugin writes it; loading compares it with the
// descriptor.
#pragma once

#include <backplane/result.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

enum class PluginKind { kBackend, kTransport, kPayment };

// "backend", "transport", "payment".
std::string_view name_of(PluginKind kind);
std::optional<PluginKind> kind_of(std::string_view name);
// The interface a plugin of this kind must offer, e.g. "bp.backend/1".
std::string_view interface_of(PluginKind kind);

struct AbiVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;           // of the headers the plugin was built from
  std::uint32_t required_minor = 0;  // the least it runs with
};

struct Manifest {
  std::string name;
  PluginKind kind = PluginKind::kBackend;
  std::string interface;  // id of the kind's interface, with its revision
  std::string version;    // x.y.z
  AbiVersion abi;
  std::string sha256;                 // of the .so, 64 lower-case hexadecimal digits
  std::string schema;                 // file name of the settings' JSON Schema, in the same folder
  std::vector<std::string> commands;  // subcommands it adds to the program; <backplane/command.h>
};

inline constexpr std::size_t kManifestBytesMax = 16 * 1024;
inline constexpr std::size_t kCommandsMax = 64;

// One word: [a-z][a-z0-9-]*, at most 32 bytes.
bool is_command_name(std::string_view name);

// Any thread. Errors begin with the file's path (and line where there is one).
Result<Manifest> read_manifest(const std::filesystem::path& file);

}  // namespace backplane
