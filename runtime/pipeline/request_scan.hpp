// SPDX-License-Identifier: Apache-2.0
// Reads of a request's body only what the runtime needs, in one pass and without building a tree.
// The whole document is checked to be JSON; strings are not unescaped but for the few that are
// used.
#pragma once

#include "runtime/pipeline/routing/provider_preferences.hpp"

#include <backplane/abi.h>

#include <backplane/result.hpp>
#include <cstdint>
#include <string>

namespace backplane {

struct RequestScan {
  std::string model;
  ProviderPreferences provider;
  std::uint64_t model_offset = 0;       // of the model's string, quotes included
  std::uint64_t model_size = 0;         // 0: the body names no model
  std::uint64_t max_output_tokens = 0;  // 0: not given
  bool stream = false;
  bool stream_options = false;  // the body has the member
  bool include_usage = false;
  // Where the body says how the conversation begins: its messages up to the first of the user, the
  // prompt, or the key that its caller gives it. Size 0: nowhere.
  std::uint64_t prefix_offset = 0;
  std::uint64_t prefix_size = 0;
};

struct ScanLimits {
  std::uint32_t depth_max = 64;
  std::uint64_t model_name_bytes_max = 512;
};

// [any-thread] Fails with INVALID_ARGUMENT and a message that names the member or the byte. A
// member given twice counts as a mistake where the runtime uses it.
Result<RequestScan> scan_request(const bp_buffer& body, const ScanLimits& limits);

}  // namespace backplane
