// SPDX-License-Identifier: Apache-2.0
// A header's value with parameters, read strictly: `form-data; name="file"; filename="a.txt"`.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

struct HeaderValue {
  std::string value;                                            // in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case
};

// [any-thread] RFC 2045, 5.1, but for what its readers take in different ways and so is refused: a
// parameter given twice, and a quote behind a backslash. INVALID_ARGUMENT without a place.
Result<HeaderValue> read_header_value(std::string_view text);

// Null: there is no such parameter.
const std::string* find_parameter(const HeaderValue& header, std::string_view name);

std::string lower_case(std::string_view text);

// A name by the grammar of RFC 9110, 5.6.2.
bool is_token(std::string_view text);

}  // namespace backplane
