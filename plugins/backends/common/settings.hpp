// SPDX-License-Identifier: Apache-2.0
// The settings of one instance, as the schemas of the plugins describe them.
#pragma once

#include "common/profile.hpp"
#include "common/reasoning_tags.hpp"
#include "common/request_rules.hpp"
#include "common/upstream.hpp"

#include <backplane/result.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

struct Settings {
  const Profile* profile = nullptr;  // null: none was named
  std::string base_url;              // without a slash at its end
  std::string api_key;               // a reference; empty: none
  std::vector<std::string> models;
  std::map<std::string, std::string, std::less<>> names;  // public to the provider's
  std::vector<Header> headers;  // lower-case names; values are references or literal
  Timeouts timeouts;
  bool stream_usage = true;
  ReasoningTags reasoning_tags = ReasoningTags::kOff;
  std::uint32_t models_refresh_seconds = 0;  // 0: the list is not fetched
  std::vector<ObjectDefaults> defaults;
  std::string_view sealed_models;  // the profile's, for a plugin that does not encrypt

  // INVALID_ARGUMENT: it would send `model`, the provider's name, in the clear.
  Status check_clear(std::string_view model) const;
};

// `profile`: the plugin's own; empty: the setting names it, or there is none. INVALID_ARGUMENT,
// naming the setting.
Result<Settings> read_settings(std::string_view json, std::string_view profile = {});

}  // namespace backplane::dialect
