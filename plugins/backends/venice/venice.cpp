// SPDX-License-Identifier: Apache-2.0
#include "common/provider.hpp"

namespace backplane::venice {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Venice final : public dialect::Provider {
 public:
  static Result<std::unique_ptr<Venice>> create(Host host, const InstanceOptions& options) {
    return dialect::make_provider<Venice>(host, options, "venice", "backplane/" BP_PLUGIN_VERSION);
  }

  using Provider::Provider;
};

}  // namespace

BP_EXPORT_BACKEND(Venice, kSchema);

}  // namespace backplane::venice
