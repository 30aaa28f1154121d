// SPDX-License-Identifier: Apache-2.0
// A backend whose calls hear no cancel: a thread of each emits when it is told to, and never
// before. The settings are the two ends of pipes to talk to it: a byte read from `go` for each
// event, which ends the call if the byte is an 'e', a byte written to `done` after it. With a `go`
// below 0 it says that it offers nothing.
#include <backplane/plugin.hpp>

#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class StubbornCall final : public Call {
 public:
  StubbornCall(const bp_sink& sink, int go, int done) : events_(sink), go_(go), done_(done) {}
  void run() {
    char byte = 0;
    while (read(go_, &byte, 1) == 1) {
      const int done = done_;  // after the end the call may be gone
      const bool over = byte == 'e';
      if (over) events_.error({Code::kCancelled, "at last", {}, 0, 0});
      if (!over) events_.text("on and on");
      if (write(done, &byte, 1) != 1 || over) return;
    }
  }
  void on_cancel() noexcept override {}

 private:
  EventWriter events_;
  const int go_;
  const int done_;
};

class Stubborn final : public Backend {
 public:
  static Result<std::unique_ptr<Stubborn>> create(Host host, const InstanceOptions& options) {
    auto stubborn = std::make_unique<Stubborn>(host);
    stubborn->go_ = number(options.settings, "\"go\":");
    stubborn->done_ = number(options.settings, "\"done\":");
    return stubborn;
  }
  explicit Stubborn(Host host) : host_(host) {}
  Result<Call*> submit(const bp_request& /*request*/, const bp_sink& sink) override {
    auto* call = new StubbornCall(sink, go_, done_);
    std::thread([call] { call->run(); }).detach();
    return call;
  }
  void stop() override { host_.log(BP_LOG_ERROR, "stopped though a call runs"); }
  std::string describe() override {
    return go_ < 0 ? R"({"models": [], "operations": []})"
                   : R"({"models": [], "operations": ["chat.completions"]})";
  }

 private:
  static int number(std::string_view settings, std::string_view key) {
    return std::atoi(std::string(settings.substr(settings.find(key) + key.size())).c_str());
  }
  const Host host_;
  int go_ = -1;
  int done_ = -1;
};

}  // namespace

BP_EXPORT_BACKEND(Stubborn, kSchema);
