// SPDX-License-Identifier: Apache-2.0
// Reads the object that a request's `provider` can be.
#pragma once

#include "runtime/pipeline/routing/provider_preferences.hpp"

#include <simdjson.h>

#include <backplane/result.hpp>

namespace backplane {

// Consumes `value`, an object. INVALID_ARGUMENT names the member. A member that is not known is a
// mistake: it may ask for something that would not hold.
Status scan_provider(simdjson::ondemand::value& value, ProviderPreferences& out);

}  // namespace backplane
