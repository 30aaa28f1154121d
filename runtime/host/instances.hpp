// SPDX-License-Identifier: Apache-2.0
// Instances of plugins and their life: create, start, drain, stop, destroy, in order and once.
#pragma once

#include "runtime/config/deployment.hpp"
#include "runtime/plugin/catalog.hpp"
#include "runtime/services/instance_host.hpp"

#include <backplane/backend.h>
#include <backplane/payment.h>
#include <backplane/transport.h>

#include <backplane/result.hpp>
#include <memory>
#include <string>

namespace backplane {

// One instance behind its kind's table. All [control]; the destructor stops and destroys it. What
// has not started is neither drained nor stopped.
template <class Table>
class PluginInstance {
 public:
  // Loads the plugin and creates the instance; errors begin with its place in the file.
  static Result<std::unique_ptr<PluginInstance>> create(const config::PluginInstance& entry,
                                                        const PluginCatalog& catalog,
                                                        const LoadRules& rules,
                                                        const SharedServices& services);
  ~PluginInstance();
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  Status start();
  void drain(std::int64_t deadline_ns);
  // Idempotent. What it posted to a loop may still be on its way: destroy comes after that.
  void stop();
  // A plugin with a call that never ended is left alone: it may still use what destroy would free.
  void leave_alone() { left_alone_ = true; }
  Result<std::string> describe() const;

  const Table* table() const { return table_; }
  void* self() const { return self_; }
  const std::string& place() const { return place_; }

 private:
  PluginInstance(const config::PluginInstance& entry, const SharedServices& services);
  Error placed(const bp_error& error) const;

  const std::string place_;  // "deploy.yaml:7:3: backends.groq: "
  std::unique_ptr<InstanceHost> host_;
  const Table* table_ = nullptr;
  void* self_ = nullptr;
  bool started_ = false;
  bool left_alone_ = false;
};

using BackendPlugin = PluginInstance<bp_backend>;
using TransportPlugin = PluginInstance<bp_transport>;
using PaymentPlugin = PluginInstance<bp_payment>;

}  // namespace backplane
