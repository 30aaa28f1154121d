// SPDX-License-Identifier: Apache-2.0
// The JSON documents that lie beside a model's weights, and members of any.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::local {

inline constexpr std::uint64_t kJsonFileBytesMax = 16u << 20;

// An object. Errors name the file; kNotFound when there is none.
Result<boost::json::object> read_json_file(const std::string& path,
                                           std::uint64_t bytes_max = kJsonFileBytesMax);

// The field, or nullptr when it is absent or null.
const boost::json::value* find_field(const boost::json::object& object, std::string_view name);
// Its text; empty where it is none.
std::string_view text_field(const boost::json::object& object, std::string_view name);
// nullopt for everything but whole numbers from 0.
std::optional<std::uint64_t> whole_number(const boost::json::value& value);

}  // namespace backplane::local
