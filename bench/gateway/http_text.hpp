// SPDX-License-Identifier: Apache-2.0
// As much of HTTP/1.1 as two well-behaved ends of a measurement need.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace backplane::bench {

// Of a whole head, the empty line included; nothing while it has not come whole.
std::optional<std::size_t> head_size(std::string_view bytes);

// The value of a header of `head`; `name` in lower case. Empty: there is none.
std::string_view header(std::string_view head, std::string_view name);

// Content-Length; 0 where there is none.
std::size_t content_length(std::string_view head);

}  // namespace backplane::bench
