// SPDX-License-Identifier: Apache-2.0
// JSON Schema by its definition, on parsed values: what the masks are held against. Written apart
// from them, and slow.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace backplane::local {

// False where `value` does not satisfy `schema`; references resolve within `root`. Formats and
// references other than "#" and "#/..." hold always.
bool validates(const boost::json::value& schema, const boost::json::value& value,
               const boost::json::value& root);
// JSON with these separators; numbers as Python writes them.
std::string write_json(const boost::json::value& value, const std::string& comma,
                       const std::string& colon);

}  // namespace backplane::local
