// SPDX-License-Identifier: Apache-2.0
// Any text is a deployment or has errors that name a place in it.
#include <optional>
#include <string>

#include "runtime/config/explain.hpp"
#include "runtime/config/load.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/runtime/config/fake_schemas.hpp"
#include "tests/runtime/config/folder.hpp"

namespace backplane::fuzz {
namespace {

constexpr const char* kSecret = "a-value-that-no-message-may-hold";

config::LoadResult load(const config::Folder& folder, bool no_env) {
  config::LoadOptions options;
  options.no_env = no_env;
  options.environment = [](const std::string& name) {
    return name == "KEY" ? std::optional<std::string>(kSecret) : std::nullopt;
  };
  return config::load(folder.file("deploy.yaml"), config::FakeSchemas(), options);
}

bool tells(const std::string& text) {
  return text.find(kSecret) != std::string::npos;
}

void check(const config::LoadResult& result) {
  expect(result.deployment.has_value() == result.errors.empty(), "neither a deployment nor errors");
  for (const auto* list : {&result.errors, &result.warnings}) {
    expect(list->size() <= config::kDiagnosticsMax + 1, "more messages than the bound");
    for (const config::Diagnostic& one : *list) expect(!one.message.empty(), "an empty message");
    expect(!tells(config::format(*list)), "a message holds a secret");
  }
  if (!result) return;
  expect(!tells(config::explain(*result.deployment)), "an explanation holds a secret");
  for (const config::Model& model : result.deployment->models) {
    expect(static_cast<bool>(config::explain_model(*result.deployment, model.name)),
           "a model that is not explained");
  }
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane;
  using namespace backplane::fuzz;
  static const config::Folder folder;
  const std::string text(text_of(data, size));
  if (tells(text)) return 0;
  folder.write("deploy.yaml", text);
  for (const bool no_env : {false, true}) check(load(folder, no_env));
  return 0;
}
