// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/preflight.hpp"

#include <backplane/abi.h>

#include <algorithm>
#include <sstream>

namespace backplane {
namespace {

constexpr std::size_t kNamesShownMax = 5;

std::string text_of(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShownMax); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kNamesShownMax) {
    text += " and " + std::to_string(names.size() - kNamesShownMax) + " more";
  }
  return text;
}

Error refused(const std::string& file, const std::string& why) {
  return {Code::kFailedPrecondition, file + ": " + why, {}, 0, 0};
}

std::string own_sdk() {
  return "backplane-sdk " + text_of(BP_ABI_MAJOR, BP_ABI_MINOR);
}

}  // namespace

AbiVersion runtime_abi() {
  return {BP_ABI_MAJOR, BP_ABI_MINOR, 0};
}

Status check_abi(const std::string& file, const AbiVersion& plugin, const AbiVersion& runtime) {
  const std::string built = text_of(plugin.major, plugin.minor);
  const std::string ours = text_of(runtime.major, runtime.minor);
  if (plugin.major != runtime.major || (runtime.major == 0 && plugin.minor != runtime.minor)) {
    return refused(file, "built from backplane-sdk " + built + "; this runtime speaks ABI " + ours +
                             "; rebuild it with backplane-sdk " + ours);
  }
  if (plugin.required_minor > runtime.minor) {
    return refused(file, "needs ABI " + text_of(plugin.major, plugin.required_minor) +
                             ", this runtime has " + ours + " (built from backplane-sdk " + built +
                             "); upgrade the runtime, or lower REQUIRED_MINOR and rebuild it");
  }
  return ok();
}

Status check_elf(const std::string& file, const ElfReport& report) {
  if (report.entries.empty()) {
    return refused(file,
                   "exports no " BP_ENTRY_SYMBOL "; build it with bp_add_plugin of " + own_sdk());
  }
  const auto entry = std::find(report.entries.begin(), report.entries.end(), BP_ENTRY_SYMBOL);
  if (entry == report.entries.end()) {
    return refused(file, "exports " + joined(report.entries) + "; this runtime speaks v" +
                             std::to_string(BP_ABI_MAJOR) + "; rebuild it with " + own_sdk());
  }
  if (!report.undefined.empty()) {
    return refused(file, "leaves " + joined(report.undefined) +
                             " undefined; a plugin links nothing of the host: ask get_interface, "
                             "and link with -Wl,-z,defs");
  }
  if (report.executable_stack) {
    return refused(file, "asks for an executable stack; link it with -Wl,-z,noexecstack");
  }
  return ok();
}

Status check_exports(const std::string& file, const ElfReport& report) {
  if (report.exports.empty()) return ok();
  return refused(file, "exports " + joined(report.exports) +
                           " besides the entry symbol; link it with the version script of "
                           "bp_add_plugin");
}

Status check_runpath(const std::string& file, const ElfReport& report) {
  std::istringstream folders(report.runpath);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.rfind("$ORIGIN", 0) == 0 || folder.rfind("${ORIGIN}", 0) == 0) continue;
    return refused(
        file, "has RUNPATH " + folder + ", which holds on one machine only; use $ORIGIN or none");
  }
  return ok();
}

}  // namespace backplane
