// SPDX-License-Identifier: Apache-2.0
// Cases of the protocol as text. A file holds several:
//
//   === name
//   --- settings            JSON; optional
//   --- request             the bytes sent
//   --- events              what every call emits, one a line; optional
//   --- response            the bytes expected, or
//   --- refused 400 CODE    an envelope with this status and code
//   --- closed | aborted    how the connection ends; without: it stays open
//
// In bytes a line ends in CR LF, unless it ends in '\'. Escapes: \r \n \t \\ \xNN. {N x} is x, N
// times. In a response the lines between << and >> are one chunk and end in LF; {id} is a request
// id of zeros and {date} the test's date.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace backplane::test {

struct Case {
  std::string file, name, settings, request, response, refused_code;
  std::vector<std::string> events;
  int refused_status = 0;
  bool closed = false;
  bool aborted = false;
};

std::vector<Case> read_cases();

// As in a section of bytes, without the line's end.
std::string unescape(std::string_view text);

}  // namespace backplane::test
