// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/instance.hpp"

#include <cstring>

namespace backplane {
namespace {

constexpr std::uint32_t kCodeMax = BP_CODE_UNAUTHENTICATED;
constexpr std::string_view kInstanceName = "check";
constexpr std::int64_t kDrainNs = 1'000'000'000;

// A value no plugin makes up: an output that still holds it was not touched.
int untouched_mark = 0;
void* const kUntouched = &untouched_mark;

bool is_terminated(const char* text, std::size_t size) {
  return std::memchr(text, '\0', size) != nullptr;
}

}  // namespace

std::string fault_of(std::uint32_t code, const bp_error& error) {
  if (code > kCodeMax) return "returned " + std::to_string(code) + ", which is no BP_CODE_*";
  if (error.code != code) {
    return "returned code " + std::to_string(code) + " and filled the error with code " +
           std::to_string(error.code);
  }
  if (!is_terminated(error.message, sizeof(error.message)) ||
      !is_terminated(error.type, sizeof(error.type))) {
    return "left a text of the error without its terminating zero";
  }
  if (error.message[0] == '\0') return "failed without a message";
  return {};
}

CheckInstance::Made CheckInstance::create(const std::string& settings, bool with_error) {
  const bp_instance_options options{sizeof(bp_instance_options),
                                    0,
                                    {kInstanceName.data(), kInstanceName.size()},
                                    {settings.data(), settings.size()}};
  bp_error error{};
  void* out = kUntouched;
  probe_.step("create");
  const std::uint32_t code =
      subject_.life.create(host_.table(), &options, &out, with_error ? &error : nullptr);
  if (code != BP_CODE_OK) {
    if (out != kUntouched) probe_.fail("create failed and changed its output; leave it as it is");
    if (with_error) return refused("create", code, error);
    return Made::kRefused;
  }
  if (out == nullptr || out == kUntouched) {
    probe_.fail("create returned OK and no instance; let it set *out");
    return Made::kRefused;
  }
  self_ = out;
  return Made::kYes;
}

CheckInstance::Made CheckInstance::start() {
  bp_error error{};
  probe_.step("start");
  const std::uint32_t code = subject_.life.start(self_, &error);
  if (code != BP_CODE_OK) return refused("start", code, error);
  started_ = true;
  return Made::kYes;
}

CheckInstance::Made CheckInstance::refused(const char* what, std::uint32_t code,
                                           const bp_error& error) {
  const std::string fault = fault_of(code, error);
  if (!fault.empty()) probe_.fail(std::string(what) + " " + fault);
  reason_ = std::string(what) + " failed: " + std::string(error.message);
  return Made::kRefused;
}

bool CheckInstance::begin() {
  if (create(subject_.settings) == Made::kYes && start() == Made::kYes) return true;
  give_up(reason_ + " (settings " + subject_.settings + ")");
  return false;
}

void CheckInstance::give_up(const std::string& what) const {
  const std::vector<std::string> lacking = host_.refused();
  if (lacking.empty()) return probe_.fail(what);
  std::string names;
  for (const std::string& id : lacking) names += (names.empty() ? "" : ", ") + id;
  probe_.skip("needs " + names + ", which the check does not offer: " + what);
}

void CheckInstance::end() {
  if (self_ == nullptr) return;
  if (started_) {
    probe_.step("drain");
    std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                           std::chrono::steady_clock::now().time_since_epoch())
                           .count();
    subject_.life.drain(self_, now + kDrainNs);
    probe_.step("stop");
    subject_.life.stop(self_);
  }
  probe_.step("destroy");
  subject_.life.destroy(self_);
  self_ = nullptr;
  started_ = false;
}

}  // namespace backplane
