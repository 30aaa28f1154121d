// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/host/runtime.hpp"
#include "runtime/include/backplane/embed.h"

#include "runtime/config/load.hpp"

#include <backplane/plugin.hpp>

struct bp_runtime {
  std::unique_ptr<backplane::Runtime> runtime;
};

namespace {

using namespace backplane;

void tell_all(const std::vector<config::Diagnostic>& diagnostics, bp_diagnostic diagnose,
              void* context) {
  if (diagnose == nullptr) return;
  for (const config::Diagnostic& diagnostic : diagnostics) {
    const std::string line = config::format(diagnostic);
    diagnose(context, str(line));
  }
}

}  // namespace

std::uint32_t bp_runtime_start(const char* file, bp_diagnostic diagnose, void* context,
                               bp_runtime** out, bp_error* error) {
  return sdk::guarded(error, [&]() -> std::uint32_t {
    config::LoadResult loaded = config::load(file, CatalogSchemas());
    tell_all(loaded.warnings, diagnose, context);
    tell_all(loaded.errors, diagnose, context);
    if (!loaded) {
      return report(invalid_argument(config::format(loaded.errors.front())), error);
    }
    auto runtime = Runtime::start(std::move(*loaded.deployment));
    if (!runtime) return report(runtime.error(), error);
    *out = new bp_runtime{std::move(*runtime)};
    return BP_CODE_OK;
  });
}

std::uint32_t bp_runtime_reload(bp_runtime* runtime, bp_diagnostic diagnose, void* context,
                                bp_error* error) {
  return sdk::guarded(error, [&]() -> std::uint32_t {
    const ReloadOutcome outcome = runtime->runtime->reload();
    for (const auto* lines : {&outcome.warnings, &outcome.errors}) {
      for (const std::string& line : *lines) {
        if (diagnose != nullptr) diagnose(context, str(line));
      }
    }
    if (outcome) return BP_CODE_OK;
    return report({Code::kFailedPrecondition, outcome.errors.front(), {}, 0, 0}, error);
  });
}

void bp_runtime_addresses(const bp_runtime* runtime, void (*tell)(void*, bp_str), void* context) {
  for (const std::string& address : runtime->runtime->addresses()) tell(context, str(address));
}

void bp_runtime_stop(bp_runtime* runtime) {
  runtime->runtime->stop();
  delete runtime;
}
