// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace backplane::sealed_calls {

// As a part of a URL's path or query: everything but RFC 3986's unreserved characters is escaped.
std::string percent_encoded(std::string_view text);

}  // namespace backplane::sealed_calls
