// SPDX-License-Identifier: Apache-2.0
// Server-sent events.
#pragma once

#include <string>
#include <string_view>

namespace backplane::http {

constexpr std::string_view kEventOpen = "data: ";
constexpr std::string_view kEventClose = "\n\n";
constexpr std::string_view kLastEvent = "data: [DONE]\n\n";

// Appends one event. A document that has line breaks takes several lines, as the format asks.
// `name` may be empty.
void append_event(std::string& out, std::string_view document, std::string_view name = {});

}  // namespace backplane::http
