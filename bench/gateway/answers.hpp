// SPDX-License-Identifier: Apache-2.0
// What the mock upstream sends, made once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace backplane::bench {

struct Answers {
  std::string whole;                // a chat completion, head included
  std::string stream_head;          // of a stream
  std::vector<std::string> frames;  // of a stream, each in a chunk of HTTP; the last ends the body
  std::string burst;                // all of a stream
};

// `frames` server-sent events, of which the last three are the finish, the usage and [DONE].
Answers make_answers(std::size_t body_bytes, std::size_t frames);

}  // namespace backplane::bench
