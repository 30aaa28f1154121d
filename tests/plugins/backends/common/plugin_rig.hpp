// SPDX-License-Identifier: Apache-2.0
// The plugin as the host sees it: the built file, its entry, its tables.
#pragma once

#include <backplane/backend.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "fake_host.hpp"

namespace backplane::testing {

// Mapped for the life of the process.
inline const bp_plugin& tested_plugin() {
  static const bp_plugin* const kPlugin = [] {
    void* library = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) throw std::runtime_error(dlerror());
    const auto entry = reinterpret_cast<bp_plugin_entry>(dlsym(library, BP_ENTRY_SYMBOL));
    const bp_plugin* plugin = nullptr;
    bp_error error{};
    const FakeHost host;
    if (entry(host.get(), &plugin, &error) != BP_CODE_OK) throw std::runtime_error(error.message);
    return plugin;
  }();
  return *kPlugin;
}

// One instance with its life: create, start, stop, destroy.
class Instance {
 public:
  explicit Instance(std::string_view settings)
      : backend_(static_cast<const bp_backend*>(tested_plugin().get_interface(str(BP_BACKEND_ID)))),
        settings_(settings) {}
  ~Instance() {
    if (self_ == nullptr) return;
    if (started_) backend_->stop(self_);
    backend_->destroy(self_);
  }
  Instance(const Instance&) = delete;

  std::uint32_t create() {
    const bp_instance_options options{sizeof(options), 0, str("test"), str(settings_)};
    return backend_->create(host.get(), &options, &self_, &error);
  }
  std::uint32_t start() {
    const std::uint32_t code = backend_->start(self_, &error);
    started_ = code == BP_CODE_OK;
    return code;
  }
  // create and start, then submit; the call is released with the rig's end.
  std::uint32_t submit(const bp_request& request, const bp_sink& sink, bp_call** out) {
    return backend_->submit(self_, &request, &sink, out, &error);
  }
  std::string describe() {
    bp_buffer out{};
    if (backend_->describe(self_, &out, &error) != BP_CODE_OK) return error.message;
    return std::string(BufferRef::adopt(out).text());
  }

  FakeHost host;
  bp_error error{};

 private:
  const bp_backend* backend_;
  std::string settings_;
  void* self_ = nullptr;
  bool started_ = false;
};

}  // namespace backplane::testing
