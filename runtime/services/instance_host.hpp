// SPDX-License-Identifier: Apache-2.0
// What one instance of a plugin sees of the host: shared services, and those that know who asks
// (log, secrets, kv). Lives as long as the instance.
#pragma once

#include <backplane/abi.h>
#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/kv.h>
#include <backplane/log.h>
#include <backplane/loop.h>
#include <backplane/metrics.h>
#include <backplane/net.h>
#include <backplane/secrets.h>
#include <backplane/transport.h>

#include <string>
#include <string_view>

namespace backplane {

class KeyValueStore;
class Logger;

// Where the plaintext behind a reference comes from.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // Null where there is no such reference; borrowed as long as the source lives.
  virtual const std::string* find(std::string_view reference) const = 0;
};

// Tables may be null: the instance then sees no such service.
struct SharedServices {
  const bp_loop_service* loop = nullptr;
  const bp_net* net = nullptr;
  const bp_http* http = nullptr;
  const bp_clock* clock = nullptr;
  const bp_metrics* metrics = nullptr;
  const bp_gateway* gateway = nullptr;
  Logger* logger = nullptr;
  KeyValueStore* store = nullptr;
  const SecretSource* secrets = nullptr;
};

class InstanceHost {
 public:
  // `path` is the instance's place in the deployment, e.g. "backends.groq".
  InstanceHost(std::string path, const SharedServices& shared);
  InstanceHost(const InstanceHost&) = delete;
  InstanceHost& operator=(const InstanceHost&) = delete;

  const bp_host* table() const { return &host_; }
  const std::string& path() const { return path_; }
  const SharedServices& shared() const { return shared_; }

 private:
  const void* find(std::string_view id) const;

  const std::string path_;
  const SharedServices shared_;
  bp_log log_;
  bp_secrets secrets_;
  bp_kv kv_;
  bp_host host_;
};

}  // namespace backplane
