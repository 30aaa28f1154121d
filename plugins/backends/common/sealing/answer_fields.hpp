// SPDX-License-Identifier: Apache-2.0
// Where the texts of an answer's document stand, and what there must not be. [any-thread]
#pragma once

#include "common/sealing/json_walk.hpp"

#include <backplane/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

// A text that is to be a seal.
struct SealedField {
  std::size_t offset = 0;  // of its JSON, quotes included
  std::size_t size = 0;
  std::string text;          // unescaped
  std::size_t position = 0;  // of its choice in the document
  std::uint64_t index = 0;   // as the choice tells, or else its position
  bool is_delta = true;
  std::string_view name;  // static: "content", "audio.data" ...
};

struct AnswerChoice {
  std::uint64_t index = 0;
  bool is_finished = false;
};

struct AnswerFields {
  std::string id;     // empty: none
  std::string model;  // likewise
  std::vector<AnswerChoice> choices;
  std::vector<SealedField> sealed;  // by offset
};

// Reads one document, which `document` has just opened. Texts of nothing but white space are not
// listed where `passes_space`. DATA_LOSS: something that tells what the model said and is of no
// sealed field; the message names the place.
Result<AnswerFields> find_answer_fields(const JsonDocument& document,
                                        simdjson::ondemand::object answer, bool passes_space);

// The answer of a server that did not encrypt, or was changed on the way.
Error untrusted_answer(std::string why);

}  // namespace backplane::sealing
