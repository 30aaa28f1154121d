// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/library.hpp"

#include "runtime/plugin/descriptor.hpp"
#include "runtime/plugin/file.hpp"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <cstring>
#include <map>
#include <mutex>

namespace backplane {
namespace {

namespace dll = boost::dll;

// Every library ever opened, by path: never destroyed, so that nothing is ever unmapped.
struct OpenLibraries {
  std::mutex mutex;
  struct Library {
    dll::shared_library mapped;
    std::string sha256;  // of the file that was mapped
  };
  std::map<std::string, Library> by_path;
};

OpenLibraries& open_libraries() {
  static auto* const libraries = new OpenLibraries;
  return *libraries;
}

Error refused(const std::string& file, const std::string& why) {
  return {Code::kFailedPrecondition, file + ": " + why, {}, 0, 0};
}

struct Entry {
  bp_plugin_entry call;
};

Result<Entry> entry_of(const std::filesystem::path& file, const std::string& sha256) {
  OpenLibraries& libraries = open_libraries();
  const std::lock_guard<std::mutex> lock(libraries.mutex);
  try {
    OpenLibraries::Library& library = libraries.by_path[file.string()];
    if (!library.mapped.is_loaded()) {
      library.mapped.load(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
      library.sha256 = sha256;
    }
    // The loader knows libraries by their paths: it would give the old code for the new file.
    if (library.sha256 != sha256) {
      return refused(file.string(),
                     "is not the file that this process loaded before, and a process loads a path "
                     "once: start a new process (a rolling restart loses no call), or put the old "
                     "file back");
    }
    return Entry{&library.mapped.get<std::remove_pointer_t<bp_plugin_entry>>(BP_ENTRY_SYMBOL)};
  } catch (const std::exception& thrown) {
    return refused(file.string(), std::string("cannot be opened: ") + thrown.what());
  }
}

std::string message_of(std::uint32_t code, const bp_error& error) {
  const std::size_t size = strnlen(error.message, sizeof(error.message));
  return size == 0 ? "code " + std::to_string(code) : std::string(error.message, size);
}

}  // namespace

Result<const bp_plugin*> open_plugin(const std::filesystem::path& file, const std::string& sha256,
                                     const bp_host* host) {
  const Result<Entry> entry = entry_of(file, sha256);
  if (!entry) return entry.error();
  const bp_plugin* plugin = nullptr;
  bp_error error{};
  std::uint32_t code = BP_CODE_OK;
  try {
    code = entry->call(host, &plugin, &error);
  } catch (...) {
    return refused(file.string(), BP_ENTRY_SYMBOL
                   " threw an exception; no exception may cross the ABI: make it noexcept");
  }
  if (code != BP_CODE_OK) {
    return refused(file.string(), BP_ENTRY_SYMBOL " failed: " + message_of(code, error));
  }
  if (Status status = check_descriptor(file.string(), plugin); !status) return status.error();
  return plugin;
}

Status check_sha256(const std::filesystem::path& file, const Manifest& manifest) {
  const Result<std::string> found = sha256_of(file);
  if (!found) return found.error();
  if (*found == manifest.sha256) return ok();
  return refused(file.string(), "has sha256 " + *found + ", its manifest says " + manifest.sha256 +
                                    "; it was changed after it was built: install it again");
}

}  // namespace backplane
