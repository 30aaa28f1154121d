// SPDX-License-Identifier: Apache-2.0
// The system's clocks and entropy as bp.clock/1.
#pragma once

#include <backplane/clock.h>

namespace backplane {

// Static; without state.
const bp_clock* system_clock();

}  // namespace backplane
