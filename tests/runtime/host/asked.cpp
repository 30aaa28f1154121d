// SPDX-License-Identifier: Apache-2.0
// A payment that answers late: it allows the call when the file `life`.answer exists. It writes
// what happens to it into the file `life`.
#include <backplane/loop.h>

#include <backplane/plugin.hpp>

#include <unistd.h>

#include <fstream>
#include <string>

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Asked final : public Payment {
 public:
  static Result<std::unique_ptr<Asked>> create(Host host, const InstanceOptions& options) {
    auto asked = std::make_unique<Asked>(host);
    constexpr std::string_view kKey = "\"life\":\"";
    const std::string_view rest =
        options.settings.substr(options.settings.find(kKey) + kKey.size());
    asked->life_ = rest.substr(0, rest.find('"'));
    return asked;
  }
  explicit Asked(Host host) : loops_(*host.find<bp_loop_service>(BP_LOOP_ID)) {}
  ~Asked() override { tell("destroy payment"); }

  Status authorize(const bp_charge& charge, const bp_decision_sink& sink) override {
    tell("asked");
    (new Question{*this, charge.loop, sink})->wait();
    return ok();
  }
  void settle(const bp_settlement& /*settlement*/) override { tell("settle"); }
  void release(std::string_view /*request_id*/, std::uint64_t hold) override {
    tell("release " + std::to_string(hold));
  }
  void drain(std::int64_t /*deadline_ns*/) override { tell("drain payment"); }
  void stop() override { tell("stop payment"); }
  std::string describe() override { return R"({"schemes": []})"; }

 private:
  struct Question {
    const Asked& payment;
    bp_loop* const loop;
    const bp_decision_sink sink;

    void wait() {
      payment.loops_.post_after(
          loop, 1, [](void* self) { static_cast<Question*>(self)->look(); }, this);
    }
    void look() {
      if (access((payment.life_ + ".answer").c_str(), F_OK) != 0) return wait();
      bp_decision decision{};
      decision.struct_size = sizeof(bp_decision);
      decision.verdict = BP_VERDICT_ALLOW;
      decision.hold = 7;
      sink.decide(sink.context, &decision);
      delete this;
    }
  };

  void tell(const std::string& what) const { std::ofstream(life_, std::ios::app) << what + '\n'; }

  const bp_loop_service& loops_;
  std::string life_;
};

}  // namespace

BP_EXPORT_PAYMENT(Asked, kSchema);
