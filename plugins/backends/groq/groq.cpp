// SPDX-License-Identifier: Apache-2.0
#include "common/provider.hpp"

namespace backplane::groq {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Groq final : public dialect::Provider {
 public:
  static Result<std::unique_ptr<Groq>> create(Host host, const InstanceOptions& options) {
    return dialect::make_provider<Groq>(host, options, "groq", "backplane/" BP_PLUGIN_VERSION);
  }

  using Provider::Provider;
};

}  // namespace

BP_EXPORT_BACKEND(Groq, kSchema);

}  // namespace backplane::groq
