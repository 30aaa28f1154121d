// SPDX-License-Identifier: Apache-2.0
// What a model may say so that its answer has the form that was asked for.
#pragma once

#include <backplane/result.hpp>

#include "plugins/backends/local/output/output_format.hpp"
#include "plugins/backends/local/request/chat_fields.hpp"
#include "plugins/backends/local/structured/grammar.hpp"

namespace backplane::local {

// Null: anything. Thoughts may come before it. Tool calls that must come, or that have been begun,
// name a tool and have arguments by its schema; one that cannot be enforced is refused where the
// tool is strict, and else any object will do. On the preparer's thread.
Result<GrammarPointer> answer_grammar(const ChatFields& chat, const OutputFormat& format,
                                      bool begins_thinking);

}  // namespace backplane::local
