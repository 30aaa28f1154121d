// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/sealed_provider.hpp"

namespace backplane::venice {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Venice final : public sealed_calls::SealedProvider {
 public:
  static Result<std::unique_ptr<Venice>> create(Host host, const InstanceOptions& options) {
    return sealed_calls::make_sealed_provider<Venice>(
        host, options, sealed_calls::read_named_seals(options.settings, sealing::kVenice, "e2ee-"),
        "venice", "/tee/attestation", "backplane/" BP_PLUGIN_VERSION);
  }

  using SealedProvider::SealedProvider;
};

}  // namespace

BP_EXPORT_BACKEND(Venice, kSchema);

}  // namespace backplane::venice
