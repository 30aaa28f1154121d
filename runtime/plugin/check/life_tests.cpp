// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/schema.hpp"
#include "runtime/plugin/check/tests.hpp"
#include "runtime/plugin/check/text.hpp"

#include <filesystem>
#include <thread>

namespace backplane {
namespace {

namespace fs = std::filesystem;

constexpr int kRepetitions = 200;

std::size_t entries_of(const char* folder) {
  std::error_code failure;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder, failure), fs::directory_iterator()));
}
std::size_t thread_count() {
  return entries_of("/proc/self/task");
}
std::size_t descriptor_count() {
  return entries_of("/proc/self/fd");
}

// A joined thread may stay listed for a moment.
bool threads_return_to(std::size_t count, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (thread_count() > count) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

void create_with_settings(Probe& probe, const Subject& subject) {
  CheckHost host;
  CheckInstance instance(probe, host, subject);
  if (instance.create(subject.settings) == CheckInstance::Made::kYes) return;
  instance.give_up(instance.reason() + " (settings " + subject.settings + ")");
}

// The host validates settings; a plugin that is handed bad ones all the same answers or refuses.
void refuse_bad_settings(Probe& probe, const Subject& subject) {
  std::vector<std::string> settings{"", "{", "[]", "null", "\"text\"", "{\"\\u0000\": 1}"};
  const bp_str schema = subject.plugin->schema;
  for (std::string& wrong : wrong_settings({schema.data, schema.size})) {
    settings.push_back(std::move(wrong));
  }
  for (const std::string& text : settings) {
    for (const bool with_error : {true, false}) {
      CheckHost host;
      CheckInstance instance(probe, host, subject);
      instance.create(text, with_error);
    }
  }
}

// Whatever the host lacks, the answer is an error or a plugin that does without.
void live_without(Probe& probe, const Subject& subject, const std::string& id) {
  CheckHost host;
  host.withhold(id);
  CheckInstance instance(probe, host, subject);
  if (instance.create(subject.settings) == CheckInstance::Made::kYes) instance.start();
}

void live_without_services(Probe& probe, const Subject& subject) {
  std::vector<std::string> ids;
  {
    CheckHost host;
    CheckInstance instance(probe, host, subject);
    if (instance.create(subject.settings) == CheckInstance::Made::kYes) instance.start();
    ids = host.asked();
  }
  ids.emplace_back("*");
  for (const std::string& id : ids) live_without(probe, subject, id);
}

void create_often(Probe& probe, const Subject& subject) {
  CheckHost host;
  const auto once = [&] {
    CheckInstance instance(probe, host, subject);
    const bool made = instance.create(subject.settings) == CheckInstance::Made::kYes;
    if (!made) instance.give_up(instance.reason());
    return made;
  };
  if (!once()) return;
  const std::size_t descriptors = descriptor_count();
  for (int i = 1; i < kRepetitions; ++i) {
    if (!once()) return;
  }
  if (const std::size_t now = descriptor_count(); now > descriptors) {
    probe.fail("leaves " + std::to_string(now - descriptors) + " file descriptors open after " +
               std::to_string(kRepetitions) + " instances; close them in destroy");
  }
}

void join_threads(Probe& probe, const Subject& subject) {
  CheckHost host;
  std::thread([] {}).join();  // a sanitizer adds a thread of its own to the first one
  const std::size_t before = thread_count();
  {
    CheckInstance instance(probe, host, subject);
    if (!instance.begin()) return;
  }
  if (!threads_return_to(before, std::min(probe.patience(), std::chrono::milliseconds(1000)))) {
    probe.fail("leaves " + std::to_string(thread_count() - before) +
               " threads running after stop; join them before stop returns");
  }
}

std::string fault_of_buffer(const bp_buffer& buffer) {
  if (buffer.data == nullptr || buffer.size == 0) return "describe returned OK and no text";
  if (buffer.release == nullptr || buffer.retain == nullptr) {
    return "describe left retain or release of its buffer null";
  }
  return {};
}

void describe_itself(Probe& probe, const Subject& subject) {
  CheckHost host;
  CheckInstance instance(probe, host, subject);
  if (!instance.begin()) return;
  bp_buffer out{};
  bp_error error{};
  probe.step("describe");
  const std::uint32_t code = subject.life.describe(instance.self(), &out, &error);
  if (code != BP_CODE_OK) {
    const std::string fault = fault_of(code, error);
    return probe.fail("describe " +
                      (fault.empty() ? "failed: " + std::string(error.message) : fault));
  }
  if (const std::string fault = fault_of_buffer(out); !fault.empty()) return probe.fail(fault);
  const std::string fault = fault_of_description(subject.kind, {out.data, out.size});
  if (!fault.empty()) probe.fail("describe: " + fault);
  out.release(out.owner);
}

constexpr CheckTest kTests[] = {{"life.create", &create_with_settings},
                                {"life.bad_settings", &refuse_bad_settings},
                                {"life.missing_services", &live_without_services},
                                {"life.repeat_200_times", &create_often},
                                {"life.threads_joined", &join_threads},
                                {"life.describe", &describe_itself}};

}  // namespace

std::span<const CheckTest> life_tests() {
  return kTests;
}

}  // namespace backplane
