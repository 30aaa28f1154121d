// SPDX-License-Identifier: Apache-2.0
// The tracer that a deployment asks for.
#pragma once

#include "runtime/config/deployment.hpp"
#include "runtime/telemetry/tracer.hpp"

#include <backplane/result.hpp>
#include <memory>

namespace backplane {

// For the end of a deployment: what its last spans may take, within the time of a drain.
inline constexpr std::uint64_t kTracerStopMs = 2'000;

// Null where `telemetry.otlp` is not set. [control]
Result<std::unique_ptr<Tracer>> make_tracer(const config::Deployment& deployment,
                                            const TracerServices& services);

}  // namespace backplane
