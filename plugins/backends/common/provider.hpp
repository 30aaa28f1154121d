// SPDX-License-Identifier: Apache-2.0
// A backend that calls one OpenAI-compatible provider: what the plugins of this family have in
// common, which is all but their schema and their profile.
#pragma once

#include "common/http_call.hpp"
#include "common/model_feed.hpp"
#include "common/operations.hpp"
#include "common/settings.hpp"
#include "common/upstream.hpp"

#include <backplane/plugin.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

class Provider : public Backend {
 public:
  // `agent`: of the user-agent header, "backplane/VERSION".
  Provider(Settings settings, const Services& services, std::string_view name, std::string agent);

  Status start() override;
  void stop() override;
  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override;
  std::string describe() override;

 protected:
  // [loop] Sends what a request has become; for plugins whose calls need more than that. `model`:
  // the provider's name for it.
  virtual Result<Call*> send(const bp_request& request, const bp_sink& sink, std::string_view model,
                             Outgoing outgoing);
  const Upstream& upstream() const { return upstream_; }
  const std::string& base_url() const { return settings_.base_url; }
  // Of every request, from start on.
  const std::vector<Header>& headers() const { return headers_; }

 private:
  bool offers(const Operation& operation) const;
  std::string name_of(std::string_view model) const;
  std::string describe_models() const;
  Result<std::string> read_key();
  Result<std::string> read_header(const Header& header);
  std::vector<Header> headers_of(const Operation& operation, const bp_request& request) const;

  const Settings settings_;
  const std::string agent_;
  Upstream upstream_;
  std::vector<RequestRules> rules_;  // one for each operation
  RequestRules continuation_;        // of a chat that goes on with its last message
  std::vector<Header> headers_;      // of every request; made by start
  ModelFeed models_;
};

// For a plugin's `create`. `profile` as read_settings has it.
template <class Plugin>
Result<std::unique_ptr<Plugin>> make_provider(Host host, const InstanceOptions& options,
                                              std::string_view profile, std::string agent) {
  Result<Settings> settings = read_settings(options.settings, profile);
  if (!settings) return settings.error();
  Result<Services> services = find_services(host);
  if (!services) return services.error();
  return std::make_unique<Plugin>(std::move(*settings), *services, options.name, std::move(agent));
}

}  // namespace backplane::dialect
