// SPDX-License-Identifier: Apache-2.0
// How long the weights stay after a request: a number of seconds, or a text of numbers with units,
// such as "30s" or "1h30m". Any thread.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>

namespace backplane::local {

inline constexpr std::chrono::hours kKeepAliveMax{30 * 24};

// Negative: for ever. nullopt where the request says nothing.
Result<std::optional<std::chrono::milliseconds>> read_keep_alive(const boost::json::object& body);

}  // namespace backplane::local
