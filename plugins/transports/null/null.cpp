// SPDX-License-Identifier: Apache-2.0
// A transport that brings nothing. The template: listen in start, begin calls on bp.gateway/1.
#include <backplane/plugin.hpp>

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Null final : public Transport {
 public:
  static Result<std::unique_ptr<Null>> create(Host host, const InstanceOptions& /*options*/) {
    if (host.find<bp_gateway>(BP_GATEWAY_ID) == nullptr) {
      return Error{Code::kFailedPrecondition, "this host offers no " BP_GATEWAY_ID, {}, 0, 0};
    }
    return std::make_unique<Null>();
  }
  std::string describe() override { return R"({"listen": []})"; }
};

}  // namespace

BP_EXPORT_TRANSPORT(Null, kSchema);
