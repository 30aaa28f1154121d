// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/manifest.hpp"

#include "runtime/config/requirement.hpp"
#include "runtime/plugin/file.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace backplane {
namespace {

struct KindNames {
  PluginKind kind;
  std::string_view name;
  std::string_view interface;
};
constexpr std::array<KindNames, 3> kKinds{{
    {PluginKind::kBackend, "backend", "bp.backend/1"},
    {PluginKind::kTransport, "transport", "bp.transport/1"},
    {PluginKind::kPayment, "payment", "bp.payment/1"},
}};

constexpr std::array<std::string_view, 8> kKeys{"name", "kind",   "interface", "version",
                                                "abi",  "sha256", "schema",    "commands"};

// Reads one manifest; the first error stays.
class ManifestReader {
 public:
  ManifestReader(std::string file, const YAML::Node& root) : file_(std::move(file)), root_(root) {}

  Result<Manifest> read() {
    if (!root_.IsMap()) return invalid_argument(file_ + ": expected a mapping of keys");
    check_keys();
    Manifest manifest;
    manifest.name = text("name");
    read_kind(manifest);
    manifest.interface = text("interface");
    manifest.version = text("version");
    read_abi(manifest.abi);
    manifest.sha256 = text("sha256");
    manifest.schema = text("schema");
    read_commands(manifest.commands);
    check_values(manifest);
    if (!error_.message.empty()) return error_;
    return manifest;
  }

 private:
  void fail(const YAML::Node& at, const std::string& what) {
    if (!error_.message.empty()) return;
    const std::string line = at.Mark().is_null() ? "" : ":" + std::to_string(at.Mark().line + 1);
    error_ = invalid_argument(file_ + line + ": " + what);
  }
  void check_keys() {
    std::vector<std::string> seen;
    for (const auto& entry : root_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        fail(entry.first, "key \"" + key + "\" is given twice");
      }
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
        fail(entry.first, "unknown key \"" + key + "\"; the keys are those bp_add_plugin writes");
      }
      seen.push_back(key);
    }
  }
  std::string text(const char* key) {
    const YAML::Node node = root_[key];
    if (!node || !node.IsScalar() || node.Scalar().empty()) {
      fail(node ? node : root_, std::string(key) + ": expected a text");
      return {};
    }
    return node.Scalar();
  }
  void read_kind(Manifest& manifest) {
    const std::string name = text("kind");
    const std::optional<PluginKind> kind = kind_of(name);
    if (!kind) {
      return fail(root_["kind"] ? root_["kind"] : root_,
                  "kind: expected backend, transport or payment, found \"" + name + "\"");
    }
    manifest.kind = *kind;
  }
  void read_abi(AbiVersion& abi) {
    const YAML::Node node = root_["abi"];
    if (!node || !node.IsMap()) {
      return fail(root_, "abi: expected {major, minor, required_minor}");
    }
    abi.major = number(node, "major");
    abi.minor = number(node, "minor");
    abi.required_minor = number(node, "required_minor");
  }
  std::uint32_t number(const YAML::Node& abi, const char* key) {
    const YAML::Node node = abi[key];
    std::uint32_t value = 0;
    if (!node || !node.IsScalar() || !YAML::convert<std::uint32_t>::decode(node, value)) {
      fail(abi, std::string("abi.") + key + ": expected a number");
    }
    return value;
  }
  void read_commands(std::vector<std::string>& commands) {
    const YAML::Node node = root_["commands"];
    if (!node) return;
    if (!node.IsSequence() || node.size() > kCommandsMax) {
      return fail(
          node, "commands: expected a list of at most " + std::to_string(kCommandsMax) + " names");
    }
    for (const YAML::Node& entry : node) {
      const std::string name = entry.IsScalar() ? entry.Scalar() : "";
      if (!is_command_name(name)) {
        return fail(entry, "commands: expected names of a-z, 0-9 and '-' that begin with a letter");
      }
      if (std::find(commands.begin(), commands.end(), name) != commands.end()) {
        return fail(entry, "commands: \"" + name + "\" is given twice");
      }
      commands.push_back(name);
    }
  }
  void check_values(const Manifest& manifest) {
    if (!config::parse_version(manifest.version)) {
      fail(root_["version"] ? root_["version"] : root_, "version: expected x.y.z");
    }
    const bool hex = std::all_of(manifest.sha256.begin(), manifest.sha256.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    if (manifest.sha256.size() != 64 || !hex) {
      fail(root_["sha256"] ? root_["sha256"] : root_, "sha256: expected 64 hexadecimal digits");
    }
    if (manifest.schema.find('/') != std::string::npos) {
      fail(root_["schema"], "schema: expected a file name in the same folder");
    }
  }

  std::string file_;
  YAML::Node root_;
  Error error_;
};

}  // namespace

std::string_view name_of(PluginKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].name;
}

std::string_view interface_of(PluginKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].interface;
}

std::optional<PluginKind> kind_of(std::string_view name) {
  for (const KindNames& entry : kKinds) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

bool is_command_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 32;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto belongs = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), belongs);
}

Result<Manifest> read_manifest(const std::filesystem::path& file) {
  Result<std::string> text = read_small_file(file, kManifestBytesMax);
  if (!text) return text.error();
  try {
    return ManifestReader(file.string(), YAML::Load(*text)).read();
  } catch (const YAML::Exception& thrown) {
    return invalid_argument(file.string() + ":" + std::to_string(thrown.mark.line + 1) +
                            ": is not YAML: " + thrown.msg);
  }
}

}  // namespace backplane
