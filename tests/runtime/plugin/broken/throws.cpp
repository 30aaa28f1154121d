// SPDX-License-Identifier: Apache-2.0
// Lets an exception out: of its entry, or with THROWS_IN_CREATE of create.
#include <backplane/backend.h>

#include <stdexcept>
#include <string_view>

namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

std::uint32_t create(const bp_host*, const bp_instance_options*, void**, bp_error*) {
  throw std::runtime_error("no luck");
}
std::uint32_t start(void*, bp_error*) {
  return BP_CODE_OK;
}
std::uint32_t submit(void*, const bp_request*, const bp_sink*, bp_call**, bp_error*) {
  return BP_CODE_INTERNAL;
}
void drain(void*, std::int64_t) {}
void stop(void*) {}
std::uint32_t describe(void*, bp_buffer*, bp_error*) {
  return BP_CODE_INTERNAL;
}

constexpr bp_backend kBackend{sizeof(bp_backend), 0, &create, &start, &submit, &drain, &stop, &stop,
                              &describe};

const void* get_interface(bp_str id) {
  const std::string_view wanted(id.data, id.size);
  return wanted == BP_BACKEND_ID ? &kBackend : nullptr;
}

constexpr bp_plugin kPlugin{sizeof(bp_plugin),
                            BP_ABI_MAJOR,
                            BP_ABI_MINOR,
                            BP_PLUGIN_REQUIRED_MINOR,
                            {BP_PLUGIN_NAME, sizeof(BP_PLUGIN_NAME) - 1},
                            {BP_PLUGIN_VERSION, sizeof(BP_PLUGIN_VERSION) - 1},
                            {kSchema, sizeof(kSchema) - 1},
                            &get_interface};

}  // namespace

extern "C" __attribute__((visibility("default"))) std::uint32_t bp_plugin_entry_v0(
    const bp_host*, const bp_plugin** out, bp_error*) {
#ifndef THROWS_IN_CREATE
  throw std::runtime_error("no luck");
#endif
  *out = &kPlugin;
  return BP_CODE_OK;
}
