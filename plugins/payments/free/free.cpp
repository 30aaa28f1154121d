// SPDX-License-Identifier: Apache-2.0
// Lets every call pass and takes no money. The template of a payment.
#include <backplane/plugin.hpp>

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Free final : public Payment {
 public:
  static Result<std::unique_ptr<Free>> create(Host /*host*/, const InstanceOptions& /*options*/) {
    return std::make_unique<Free>();
  }
  Status authorize(const bp_charge& /*charge*/, const bp_decision_sink& sink) override {
    bp_decision decision{};
    decision.struct_size = sizeof(bp_decision);
    decision.verdict = BP_VERDICT_ALLOW;
    sink.decide(sink.context, &decision);
    return ok();
  }
  void settle(const bp_settlement& /*settlement*/) override {}
  void release(std::string_view /*request_id*/, std::uint64_t /*hold*/) override {}
  std::string describe() override { return R"({"schemes": []})"; }
};

}  // namespace

BP_EXPORT_PAYMENT(Free, kSchema);
