// SPDX-License-Identifier: Apache-2.0
// The steps around the model of a tokenizer.json: normalizer, pre_tokenizer, post_processor.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/value.hpp>

#include "plugins/backends/local/tokenizer/tokenizer_draft.hpp"

namespace backplane::local {

// Each reads its part of the document, which may be null, into the draft. Errors begin with the
// place in the document.
Status read_normalizer(const boost::json::value& value, TokenizerDraft& draft);
Status read_pre_tokenizer(const boost::json::value& value, TokenizerDraft& draft);
Status read_post_processor(const boost::json::value& value, TokenizerDraft& draft);

// The member of an object, or null.
const boost::json::value& member_of(const boost::json::value& value, std::string_view name);
std::string_view string_of(const boost::json::value& value);  // empty where it is none
bool flag_of(const boost::json::value& value, bool fallback);

}  // namespace backplane::local
