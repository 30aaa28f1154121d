// SPDX-License-Identifier: Apache-2.0
// Reads a request's body to its end, as it comes, and answers with what it was.
#pragma once

#include <backplane/plugin.hpp>

namespace backplane::echo {

// {"text": "a body of 12 bytes, CRC-32 0d4a1185"}
Call* start_upload(const bp_request& request, const bp_sink& sink);

}  // namespace backplane::echo
