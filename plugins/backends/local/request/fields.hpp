// SPDX-License-Identifier: Apache-2.0
// Members of a request's document, and the errors that name them. Any thread.
#pragma once

#include <backplane/result.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace backplane::local {

Error refuse(std::string_view field, std::string_view message);
Error unsupported(std::string_view field);

// The member, or null where it is absent or null.
const boost::json::value* member(const boost::json::object& object, std::string_view name);
// That of a value that may be no object.
const boost::json::value* member(const boost::json::value& value, std::string_view name);
// Its text; empty where it is none.
std::string_view text_member(const boost::json::value& value, std::string_view name);

// Each leaves `out` as it is where the member is absent.
Status read_number(const boost::json::object& body, std::string_view name, double least,
                   double most, float& out);
Status read_count(const boost::json::object& body, std::string_view name, std::int64_t least,
                  std::uint32_t& out,
                  std::uint32_t most = std::numeric_limits<std::uint32_t>::max());
Status read_flag(const boost::json::object& body, std::string_view name, bool& out);

}  // namespace backplane::local
