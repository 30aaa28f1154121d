// SPDX-License-Identifier: Apache-2.0
// A provider whose models have to prove what they are, and some or all of whose chats are encrypted
// end to end.
#pragma once

#include "common/provider.hpp"
#include "common/sealed_calls/seal_settings.hpp"
#include "common/sealed_calls/sealed_call.hpp"

#include <string>
#include <string_view>

namespace backplane::sealed_calls {

class SealedProvider : public dialect::Provider {
 public:
  // `report_path`: of a model's attestation, behind base_url.
  SealedProvider(dialect::Settings settings, SealSettings seal, std::string_view report_path,
                 const dialect::Services& services, std::string_view name, std::string agent);

  Status start() override;
  void stop() override;

 protected:
  Result<Call*> send(const bp_request& request, const bp_sink& sink, std::string_view model,
                     dialect::Outgoing outgoing) override;

 private:
  bool seals(std::string_view model) const;
  Status check_operation(const bp_request& request, bool is_sealed) const;

  const Sealed sealed_;
  const std::string name_prefix_;
  SealedCalls calls_;
};

// For a plugin's `create`, whose settings `seal` was read from as well.
template <class Plugin>
Result<std::unique_ptr<Plugin>> make_sealed_provider(Host host, const InstanceOptions& options,
                                                     Result<SealSettings> seal,
                                                     std::string_view profile,
                                                     std::string_view report_path,
                                                     std::string agent) {
  Result<dialect::Settings> settings = dialect::read_settings(options.settings, profile);
  if (!settings) return settings.error();
  if (!seal) return seal.error();
  const Result<dialect::Services> services = dialect::find_services(host);
  if (!services) return services.error();
  return std::make_unique<Plugin>(std::move(*settings), std::move(*seal), report_path, *services,
                                  options.name, std::move(agent));
}

}  // namespace backplane::sealed_calls
