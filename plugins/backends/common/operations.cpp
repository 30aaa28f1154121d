// SPDX-License-Identifier: Apache-2.0
#include "common/operations.hpp"

#include <algorithm>
#include <array>

namespace backplane::dialect {
namespace {

// A form's `stream` may come behind what the host has read, and a body for speech has none.
constexpr std::array<Operation, 12> kOperations{{
    {"chat.completions", "/chat/completions", false, false, Streams::kWhenAsked,
     Completion::kChoices},
    {"completions", "/completions", false, false, Streams::kWhenAsked, Completion::kChoices},
    {"responses", "/responses", false, false, Streams::kWhenAsked, Completion::kTypes},
    {"embeddings", "/embeddings", false, false, Streams::kNever, Completion::kChoices},
    {"rerank", "/rerank", false, false, Streams::kNever, Completion::kChoices},
    {"moderations", "/moderations", false, false, Streams::kNever, Completion::kChoices},
    {"images.generations", "/images/generations", false, false, Streams::kWhenAsked,
     Completion::kTypes},
    {"images.edits", "/images/edits", true, false, Streams::kWhenAnswered, Completion::kTypes},
    {"images.variations", "/images/variations", true, false, Streams::kNever, Completion::kChoices},
    {"audio.speech", "/audio/speech", false, true, Streams::kWhenAnswered, Completion::kTypes},
    {"audio.transcriptions", "/audio/transcriptions", true, true, Streams::kWhenAnswered,
     Completion::kTypes},
    {"audio.translations", "/audio/translations", true, true, Streams::kWhenAnswered,
     Completion::kTypes},
}};

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

const Operation* find_operation(std::string_view name) {
  const auto found = std::find_if(kOperations.begin(), kOperations.end(),
                                  [&](const Operation& known) { return known.name == name; });
  return found == kOperations.end() ? nullptr : &*found;
}

}  // namespace backplane::dialect
