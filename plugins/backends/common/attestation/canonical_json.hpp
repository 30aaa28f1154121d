// SPDX-License-Identifier: Apache-2.0
// The one text of a JSON value that is hashed and signed (RFC 8785).
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace backplane::attestation {

// Nothing for a value with a number that is not an integer of at most 53 bits, or with text that is
// not UTF-8: what is bound by these texts has neither.
std::optional<std::string> canonical_json(const boost::json::value& value);

}  // namespace backplane::attestation
