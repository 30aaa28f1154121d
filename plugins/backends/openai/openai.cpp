// SPDX-License-Identifier: Apache-2.0
#include "common/provider.hpp"

namespace backplane::openai {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class OpenAi final : public dialect::Provider {
 public:
  static Result<std::unique_ptr<OpenAi>> create(Host host, const InstanceOptions& options) {
    return dialect::make_provider<OpenAi>(host, options, {}, "backplane/" BP_PLUGIN_VERSION);
  }

  using Provider::Provider;
};

}  // namespace

BP_EXPORT_BACKEND(OpenAi, kSchema);

}  // namespace backplane::openai
