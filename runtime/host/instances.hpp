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

// Everything that an instance is made from. Two of one name with the same are the same instance.
struct InstanceFacts {
  std::string section;  // "backends"
  std::string name;
  std::string place;  // "deploy.yaml:7:3: backends.groq: "
  std::string plugin;
  std::string version;
  std::string file;
  std::string sha256;  // of the file
  std::string settings;
  std::uint64_t generation = 0;  // in which it started
};

// The secrets of one instance, apart from the deployment that they came with.
class InstanceSecrets final : public SecretSource {
 public:
  // Those whose reference is within `path`, "backends.groq".
  InstanceSecrets(const config::Secrets& all, const std::string& path);
  const std::string* find(std::string_view reference) const override;
  bool operator==(const InstanceSecrets& other) const;

 private:
  config::Secrets secrets_;
};

// What a deployment file asks for, looked up among the plugins there are.
struct InstancePlan {
  static Result<InstancePlan> make(const config::PluginInstance& entry,
                                   const config::Secrets& secrets, const PluginCatalog& catalog,
                                   std::uint64_t generation);
  InstanceFacts facts;
  const PluginInfo* info;
  std::unique_ptr<InstanceSecrets> secrets;
};

// One instance behind its kind's table. All [control]; the destructor stops and destroys it. What
// has not started is neither drained nor stopped.
template <class Table>
class PluginInstance {
 public:
  // Loads the plugin and creates the instance; errors begin with its place in the file.
  static Result<std::unique_ptr<PluginInstance>> create(InstancePlan plan, const LoadRules& rules,
                                                        SharedServices services);
  ~PluginInstance();
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  const InstanceFacts& facts() const { return facts_; }
  bool is_what(const InstancePlan& plan) const;

  Status start();
  // Idempotent.
  void drain(std::int64_t deadline_ns);
  // Idempotent. What it posted to a loop may still be on its way: destroy comes after that.
  void stop();
  // A plugin with a call that never ended is left alone: it may still use what destroy would free.
  void leave_alone() { left_alone_ = true; }
  Result<std::string> describe() const;

  const Table* table() const { return table_; }
  void* self() const { return self_; }
  const std::string& place() const { return facts_.place; }

 private:
  PluginInstance(InstancePlan plan, SharedServices services);
  Error placed(const bp_error& error) const;

  const InstanceFacts facts_;
  std::unique_ptr<InstanceSecrets> secrets_;
  std::unique_ptr<InstanceHost> host_;
  const Table* table_ = nullptr;
  void* self_ = nullptr;
  bool started_ = false;
  bool drained_ = false;
  bool left_alone_ = false;
};

using BackendPlugin = PluginInstance<bp_backend>;
using TransportPlugin = PluginInstance<bp_transport>;
using PaymentPlugin = PluginInstance<bp_payment>;

}  // namespace backplane
