// SPDX-License-Identifier: Apache-2.0
// A backend that takes its time: a piece of text a millisecond, each with the tag of the instance.
// It writes what happens to it into the file `life`. The last message's content says how many
// pieces: a number, or "hold" for as long as the file `life`.hold exists. One that `loads` starts
// when the file `life`.load is gone.
#include <backplane/loop.h>

#include <backplane/plugin.hpp>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class PacedCall final : public Call {
 public:
  PacedCall(const bp_loop_service& loops, bp_loop* loop, const bp_sink& sink, std::string tag,
            std::uint64_t pieces, std::string hold)
      : loops_(loops),
        loop_(loop),
        events_(sink),
        tag_(std::move(tag)),
        pieces_(pieces),
        hold_(std::move(hold)) {
    arm();
  }

  void on_cancel() noexcept override {
    if (events_.ended()) return;
    loops_.cancel(loop_, timer_);
    events_.error({Code::kCancelled, "cancelled", {}, 0, 0});
  }
  void on_resume() noexcept override {}

 private:
  void arm() {
    timer_ = loops_.post_after(
        loop_, 1, [](void* self) { static_cast<PacedCall*>(self)->emit(); }, this);
  }
  void emit() {
    const bool held = !hold_.empty() && access(hold_.c_str(), F_OK) == 0;
    if (sent_ >= pieces_ && !held) {
      events_.finish("stop");
      events_.usage(1, sent_);
      return events_.end();
    }
    if (events_.text(tag_ + std::to_string(sent_++) + ' ') == BP_FLOW_STOP) return on_cancel();
    arm();
  }

  const bp_loop_service& loops_;
  bp_loop* const loop_;
  EventWriter events_;
  const std::string tag_;
  const std::uint64_t pieces_;
  const std::string hold_;
  std::uint64_t sent_ = 0;
  std::uint64_t timer_ = 0;
};

class Paced final : public Backend {
 public:
  static Result<std::unique_ptr<Paced>> create(Host host, const InstanceOptions& options) {
    auto paced = std::make_unique<Paced>(host);
    paced->tag_ = text(options.settings, "\"tag\":\"");
    paced->life_ = text(options.settings, "\"life\":\"");
    paced->fails_ = options.settings.find("\"fails\":true") != std::string_view::npos;
    paced->loads_ = options.settings.find("\"loads\":true") != std::string_view::npos;
    paced->tell("create");
    return paced;
  }
  explicit Paced(Host host) : loops_(*host.find<bp_loop_service>(BP_LOOP_ID)) {}
  ~Paced() override { tell("destroy"); }

  Status start() override {
    if (loads_) tell("load");
    while (loads_ && access((life_ + ".load").c_str(), F_OK) == 0) std::this_thread::yield();
    if (fails_) return invalid_argument("told to fail");
    tell("start");
    return ok();
  }
  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override {
    const std::string content = text(view(request.body), "\"content\":\"");
    const bool held = content == "hold";
    return new PacedCall(loops_, request.loop, sink, tag_,
                         held ? 0 : std::strtoull(content.c_str(), nullptr, 10),
                         held ? life_ + ".hold" : std::string());
  }
  void drain(std::int64_t /*deadline_ns*/) override { tell("drain"); }
  void stop() override { tell("stop"); }
  std::string describe() override {
    return R"({"models": [], "operations": ["chat.completions"]})";
  }

 private:
  static std::string text(std::string_view json, std::string_view before) {
    const std::size_t found = json.find(before);
    if (found == std::string_view::npos) return {};
    const std::string_view rest = json.substr(found + before.size());
    return std::string(rest.substr(0, rest.find('"')));
  }
  void tell(const char* what) const {
    std::ofstream(life_, std::ios::app) << (std::string(what) + ' ' + tag_ + '\n');
  }

  const bp_loop_service& loops_;
  std::string tag_;
  std::string life_;
  bool fails_ = false;
  bool loads_ = false;
};

}  // namespace

BP_EXPORT_BACKEND(Paced, kSchema);
