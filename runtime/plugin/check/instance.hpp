// SPDX-License-Identifier: Apache-2.0
// One instance of the plugin under test, and what every kind of plugin does with instances.
#pragma once

#include "runtime/plugin/check/host.hpp"
#include "runtime/plugin/check/probe.hpp"
#include "runtime/plugin/discovery.hpp"

#include <backplane/backend.h>

#include <string>

namespace backplane {

// The functions that the tables of all kinds share.
struct LifeTable {
  decltype(bp_backend::create) create;
  decltype(bp_backend::start) start;
  decltype(bp_backend::drain) drain;
  decltype(bp_backend::stop) stop;
  decltype(bp_backend::destroy) destroy;
  decltype(bp_backend::describe) describe;
};

// What a test works on: the loaded plugin, as its kind.
struct Subject {
  std::string file;
  PluginKind kind;
  const bp_plugin* plugin;
  LifeTable life;
  const void* table;     // bp_backend, bp_transport or bp_payment
  std::string settings;  // JSON
};

// Why `error` is not what a failed function must leave behind; empty: it is.
std::string fault_of(std::uint32_t code, const bp_error& error);

// Owns an instance and walks it through its life; tells the probe what goes wrong.
class CheckInstance {
 public:
  CheckInstance(Probe& probe, CheckHost& host, const Subject& subject)
      : probe_(probe), host_(host), subject_(subject) {}
  CheckInstance(const CheckInstance&) = delete;
  CheckInstance& operator=(const CheckInstance&) = delete;
  ~CheckInstance() { end(); }

  enum class Made { kYes, kRefused };
  // A refusal is in reason(); a broken refusal fails the probe.
  Made create(const std::string& settings, bool with_error = true);
  Made start();
  // Creates and starts with the subject's settings. A refusal fails the probe, or skips the test
  // where the plugin asked for something this host does not offer.
  bool begin();
  // Drains, stops and destroys, as far as it got.
  void end();

  void* self() const { return self_; }
  const std::string& reason() const { return reason_; }
  // For a test that cannot go on: skipped if the host lacked something, failed otherwise.
  void give_up(const std::string& what) const;

 private:
  Made refused(const char* what, std::uint32_t code, const bp_error& error);

  Probe& probe_;
  CheckHost& host_;
  const Subject& subject_;
  void* self_ = nullptr;
  bool started_ = false;
  std::string reason_;
};

}  // namespace backplane
