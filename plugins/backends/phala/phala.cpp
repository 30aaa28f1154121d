// SPDX-License-Identifier: Apache-2.0
#include <backplane/command.hpp>

#include "common/sealed_calls/sealed_provider.hpp"
#include "plugins/backends/phala/commands/attest_command.hpp"
#include "plugins/backends/phala/commands/verify_command.hpp"

namespace backplane::phala {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Phala final : public sealed_calls::SealedProvider {
 public:
  static Result<std::unique_ptr<Phala>> create(Host host, const InstanceOptions& options) {
    return sealed_calls::make_sealed_provider<Phala>(
        host, options, sealed_calls::read_variant_seals(options.settings), "phala",
        "/attestation/report", "backplane/" BP_PLUGIN_VERSION);
  }

  using SealedProvider::SealedProvider;
};

constexpr bp_command kCommands[] = {
    command<&run_attest_command>("attest",
                                 "Verify a provider's evidence of trusted execution (Intel TDX)"),
    command<&run_verify_command>("verify", "Verify the receipt of a call again")};

}  // namespace

BP_EXPORT_BACKEND_WITH_COMMANDS(Phala, kSchema, kCommands);

}  // namespace backplane::phala
