// SPDX-License-Identifier: Apache-2.0
// One call to an OpenAI-compatible server over bp.http/1: what arrives becomes events.
//
// Stream: each payload is one CHUNK, as it came; `[DONE]`, or an end after every choice seen had
// its finish reason, is END; any other end is DATA_LOSS; a payload with an error is ERROR. A
// request without BP_REQUEST_STREAM: the whole response is one BODY. USAGE, where the server told
// any, is the event before the terminal one.
//
// All but cancel, resume and release happens on request.loop, and cancel and resume hop there. Once
// paused, nothing but a terminal event follows until resume (and USAGE before it where the sink
// has an overrun). The instance must outlive the call's terminal event, not what comes after it:
// a response may still be read to its end, so that its connection can be kept.
#pragma once

#include "common/body_splice.hpp"
#include "common/services.hpp"
#include "common/upstream_error.hpp"

#include <backplane/plugin.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kBodyMaxBytes = std::size_t{64} << 20;       // of a whole response
inline constexpr std::size_t kErrorBodyMaxBytes = std::size_t{64} << 10;  // the rest is not read
inline constexpr std::size_t kTrailingMaxBytes = std::size_t{16} << 10;   // behind [DONE]

// 0: the host's default.
struct Timeouts {
  std::uint32_t connect_ms = 0;
  std::uint32_t first_byte_ms = 0;
  std::uint32_t idle_ms = 0;
  std::uint32_t total_ms = 0;  // the call's deadline holds where it is sooner
};

struct Header {
  std::string name;
  std::string value;
};

// What the calls of one instance share; borrowed until a call's terminal event.
struct Upstream {
  Services services;
  Timeouts timeouts;
  Scrubber scrubber;
};

// What one call sends. POST, JSON.
struct Outgoing {
  std::string url;
  std::vector<Header> headers;
  BodySplice body;
  // A usage chunk without choices is metered and not passed on: the client did not ask for it.
  bool hide_usage = false;
};

// Sends it. Fails, without an event, when the host refuses the request or the deadline has passed.
Result<Call*> start_call(const Upstream& upstream, const bp_request& request, const bp_sink& sink,
                         Outgoing outgoing);

}  // namespace backplane::dialect
