// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name nearest to what somebody typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace backplane::config {

// The nearest of `known` when it is near enough to be a slip of the keyboard, else empty.
std::string nearest(std::string_view typed, const std::vector<std::string>& known);

// `; did you mean "model"?`, or empty when nothing is near.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& known);

// `"a", "b" and 3 more`, or `none`: names for a message, at most ten of them.
std::string list_names(const std::vector<std::string>& names);

// In double quotes; control characters escaped, cut after 60 bytes.
std::string quote(std::string_view text);

}  // namespace backplane::config
