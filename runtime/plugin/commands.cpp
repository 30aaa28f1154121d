// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/commands.hpp"

#include "runtime/plugin/elf.hpp"

#include <boost/json.hpp>

namespace backplane {
namespace {

namespace json = boost::json;

constexpr int kExitFaults = 1;
constexpr int kExitUnreadable = 2;

std::string text_of(const AbiVersion& abi) {
  return std::to_string(abi.major) + "." + std::to_string(abi.minor);
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + "  ";
}

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object object_of(const PluginInfo& info) {
  const Manifest& manifest = info.manifest;
  return {{"kind", name_of(manifest.kind)},
          {"name", manifest.name},
          {"version", manifest.version},
          {"interface", manifest.interface},
          {"abi", text_of(manifest.abi)},
          {"sha256", manifest.sha256},
          {"commands", array_of(manifest.commands)},
          {"path", info.path.string()}};
}

std::string row(std::string kind, std::string name, std::string version, std::string abi,
                const std::string& path) {
  return padded(std::move(kind), 9) + padded(std::move(name), 16) + padded(std::move(version), 8) +
         padded(std::move(abi), 4) + path + "\n";
}

CommandOutput unreadable(const Error& error) {
  return {{}, error.message + "\n", kExitUnreadable};
}

std::string lines_of(const json::object& facts) {
  std::string text;
  for (const auto& [name, value] : facts) {
    std::string shown = value.is_string() ? std::string(value.get_string()) : "";
    if (value.is_bool()) shown = value.get_bool() ? "yes" : "no";
    if (const json::array* texts = value.if_array()) {
      for (const json::value& one : *texts) {
        shown += (shown.empty() ? "" : ", ") + std::string(one.get_string());
      }
    }
    text += padded(std::string(name), 16) + (shown.empty() ? "-" : shown) + "\n";
  }
  return text;
}

}  // namespace

CommandOutput list_plugins(const PluginCatalog& catalog, bool as_json) {
  CommandOutput output;
  for (const std::string& warning : catalog.warnings()) output.warnings += warning + "\n";
  json::array objects;
  output.text = row("KIND", "NAME", "VERSION", "ABI", "PATH");
  for (const PluginInfo& info : catalog.all()) {
    const Manifest& manifest = info.manifest;
    output.text += row(std::string(name_of(manifest.kind)), manifest.name, manifest.version,
                       text_of(manifest.abi), info.path.string());
    objects.push_back(object_of(info));
  }
  if (as_json) output.text = json::serialize(objects) + "\n";
  return output;
}

CommandOutput describe_plugin_file(const std::filesystem::path& file, bool as_json) {
  const Result<ElfReport> elf = read_elf(file);
  if (!elf) return unreadable(elf.error());
  std::filesystem::path beside = file;
  beside.replace_extension(".yaml");
  const Result<Manifest> manifest = read_manifest(beside);
  CommandOutput output;
  json::object facts{{"path", file.string()}};
  if (manifest) facts = object_of({*manifest, file, {}});
  if (!manifest) output.warnings = manifest.error().message + "\n";
  facts["entries"] = array_of(elf->entries);
  facts["other_exports"] = array_of(elf->exports);
  facts["undefined"] = array_of(elf->undefined);
  facts["needs"] = array_of(elf->needed);
  facts["runpath"] = elf->runpath;
  facts["executable_stack"] = elf->executable_stack;
  output.text = as_json ? json::serialize(facts) + "\n" : lines_of(facts);
  return output;
}

CommandOutput check_plugin_file(const std::filesystem::path& file, const CheckOptions& options,
                                bool as_json) {
  if (const Result<ElfReport> elf = read_elf(file); !elf && elf.error().code == Code::kNotFound) {
    return unreadable(elf.error());
  }
  const CheckReport report = check_plugin(file, options);
  return {as_json ? json_of(report) : tap_of(report), {}, report.passed() ? 0 : kExitFaults};
}

}  // namespace backplane
