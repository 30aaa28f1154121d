// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/descriptor.hpp"

#include "runtime/config/requirement.hpp"
#include "runtime/plugin/preflight.hpp"

#include <backplane/backend.h>
#include <backplane/payment.h>
#include <backplane/transport.h>

#include <cstddef>
#include <cstring>

namespace backplane {
namespace {

constexpr std::uint64_t kNameBytesMax = 128;

Error refused(const std::string& file, const std::string& why) {
  return {Code::kFailedPrecondition, file + ": " + why, {}, 0, 0};
}

std::string view_of(bp_str text) {
  return text.data == nullptr ? std::string() : std::string(text.data, text.size);
}

bool is_text(bp_str text, std::uint64_t bytes_max) {
  return text.data != nullptr && text.size > 0 && text.size <= bytes_max;
}

Error differs(const std::string& file, const char* what, const std::string& found,
              const std::string& manifest) {
  return refused(file, std::string("says ") + what + " \"" + found + "\", its manifest says \"" +
                           manifest + "\"; build both with bp_add_plugin");
}

struct Slot {
  const char* name;
  std::size_t offset;
};

// Walks the functions of a table by where they stand; `T` is one of the tables of the ABI.
template <class T, std::size_t N>
Status check_slots(const std::string& file, const char* id, const void* table,
                   const Slot (&slots)[N]) {
  std::uint32_t struct_size = 0;
  std::memcpy(&struct_size, table, sizeof(struct_size));
  if (struct_size < sizeof(T)) {
    return refused(file, std::string(id) + " has struct_size " + std::to_string(struct_size) +
                             ", it needs " + std::to_string(sizeof(T)) +
                             "; set it to the size of the struct");
  }
  for (const Slot& slot : slots) {
    std::uintptr_t function = 0;
    std::memcpy(&function, static_cast<const char*>(table) + slot.offset, sizeof(function));
    if (function == 0) {
      return refused(file, std::string(id) + " leaves " + slot.name +
                               " null; every function of this revision is required");
    }
  }
  return ok();
}

#define SLOT(table, field) \
  { #field, offsetof(table, field) }

Status check_backend(const std::string& file, const void* table) {
  constexpr Slot kSlots[] = {SLOT(bp_backend, create),  SLOT(bp_backend, start),
                             SLOT(bp_backend, submit),  SLOT(bp_backend, drain),
                             SLOT(bp_backend, stop),    SLOT(bp_backend, destroy),
                             SLOT(bp_backend, describe)};
  return check_slots<bp_backend>(file, BP_BACKEND_ID, table, kSlots);
}

Status check_transport(const std::string& file, const void* table) {
  constexpr Slot kSlots[] = {SLOT(bp_transport, create),  SLOT(bp_transport, start),
                             SLOT(bp_transport, drain),   SLOT(bp_transport, stop),
                             SLOT(bp_transport, destroy), SLOT(bp_transport, describe)};
  return check_slots<bp_transport>(file, BP_TRANSPORT_ID, table, kSlots);
}

Status check_payment(const std::string& file, const void* table) {
  constexpr Slot kSlots[] = {
      SLOT(bp_payment, create), SLOT(bp_payment, start),   SLOT(bp_payment, authorize),
      SLOT(bp_payment, settle), SLOT(bp_payment, release), SLOT(bp_payment, drain),
      SLOT(bp_payment, stop),   SLOT(bp_payment, destroy), SLOT(bp_payment, describe)};
  return check_slots<bp_payment>(file, BP_PAYMENT_ID, table, kSlots);
}

#undef SLOT

}  // namespace

Status check_descriptor(const std::string& file, const bp_plugin* plugin) {
  if (plugin == nullptr) {
    return refused(file, BP_ENTRY_SYMBOL " returned OK and no descriptor; let it set *out");
  }
  if (plugin->struct_size < sizeof(bp_plugin)) {
    return refused(file, "its descriptor has struct_size " + std::to_string(plugin->struct_size) +
                             ", this runtime needs " + std::to_string(sizeof(bp_plugin)) +
                             "; set it to sizeof(bp_plugin)");
  }
  const AbiVersion abi{plugin->abi_major, plugin->abi_minor, plugin->abi_minor_required};
  if (Status status = check_abi(file, abi, runtime_abi()); !status) return status;
  if (!is_text(plugin->name, kNameBytesMax)) {
    return refused(file, "its descriptor has no name; set it to BP_PLUGIN_NAME");
  }
  if (!is_text(plugin->version, kNameBytesMax) ||
      !config::parse_version(view_of(plugin->version))) {
    return refused(file, "its descriptor's version is not x.y.z; set it to BP_PLUGIN_VERSION");
  }
  if (!is_text(plugin->schema, kSchemaBytesMax)) {
    return refused(file,
                   "its descriptor's schema is empty or above 64 KiB; include "
                   "bp_plugin_schema.inc, which holds it");
  }
  if (plugin->get_interface == nullptr) {
    return refused(file,
                   "its descriptor leaves get_interface null; a plugin offers at least one "
                   "interface");
  }
  return ok();
}

Status check_against(const std::string& file, const bp_plugin& plugin, const Manifest& manifest) {
  const std::string name = view_of(plugin.name);
  if (name != manifest.name) return differs(file, "name", name, manifest.name);
  const std::string version = view_of(plugin.version);
  if (version != manifest.version) return differs(file, "version", version, manifest.version);
  const auto text = [](std::uint32_t major, std::uint32_t minor, std::uint32_t required) {
    return std::to_string(major) + "." + std::to_string(minor) + ", at least " +
           std::to_string(major) + "." + std::to_string(required);
  };
  const std::string abi = text(plugin.abi_major, plugin.abi_minor, plugin.abi_minor_required);
  const AbiVersion& said = manifest.abi;
  const std::string expected = text(said.major, said.minor, said.required_minor);
  if (abi != expected) return differs(file, "ABI", abi, expected);
  return ok();
}

Status check_table(const std::string& file, const bp_plugin& plugin, PluginKind kind) {
  const std::string_view id = interface_of(kind);
  const void* table = plugin.get_interface({id.data(), id.size()});
  if (table == nullptr) {
    return refused(file, "is a " + std::string(name_of(kind)) + " by its manifest, but offers no " +
                             std::string(id) + "; let get_interface return its table");
  }
  switch (kind) {
    case PluginKind::kBackend:
      return check_backend(file, table);
    case PluginKind::kTransport:
      return check_transport(file, table);
    case PluginKind::kPayment:
      return check_payment(file, table);
  }
  return ok();
}

}  // namespace backplane
