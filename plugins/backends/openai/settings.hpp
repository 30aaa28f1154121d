// SPDX-License-Identifier: Apache-2.0
// The settings of one instance, as schema.json describes them.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "common/http_call.hpp"

namespace backplane::openai {

struct Settings {
  std::string base_url;  // without a slash at its end
  std::string api_key;   // a reference; empty: none
  std::vector<std::string> models;
  std::vector<dialect::Header> headers;  // lower-case names; values are references or literal
  dialect::Timeouts timeouts;
  bool stream_usage = true;
};

// INVALID_ARGUMENT, naming the setting.
Result<Settings> read_settings(std::string_view json);

}  // namespace backplane::openai
