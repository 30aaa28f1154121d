// SPDX-License-Identifier: Apache-2.0
// The host's interfaces that a call over HTTP needs, found once.
#pragma once

#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/loop.h>
#include <backplane/plugin.hpp>
#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::dialect {

// Tables live as long as the host.
struct Services {
  Host host;
  const bp_http* http;
  const bp_loop_service* loop;
  const bp_clock* clock;
};

// UNIMPLEMENTED, naming the interface, where the host lacks one.
Result<Services> find_services(Host host);

// The value behind a reference found in the settings, without the space around it. The host's error
// names no reference.
Result<std::string> read_secret(const Host& host, std::string_view reference);

}  // namespace backplane::dialect
