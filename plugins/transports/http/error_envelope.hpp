// SPDX-License-Identifier: Apache-2.0
// Errors as a client of OpenAI's API reads them: a status, an envelope, and advice about a retry.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::http {

struct ErrorClass {
  std::uint32_t status;   // what the error asks for, else the default of its code
  std::string_view code;  // the platform's: what the error names, else the default of its code
  std::string_view type;  // OpenAI's: invalid_request_error, server_error ...
};

// Borrows from `error`.
ErrorClass classify(const Error& error);

// An error found by the protocol itself.
Error protocol_error(std::uint32_t status, std::string_view code, std::string message);

Error body_too_large();
Error too_many_bodies();

// Appends {"error":{"message","type","param","code"}}.
void append_envelope(std::string& out, const Error& error);

// Appends header lines: retry-after, retry-after-ms, x-should-retry, www-authenticate.
void append_error_headers(std::string& out, const Error& error);

}  // namespace backplane::http
