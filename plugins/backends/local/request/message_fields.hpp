// SPDX-License-Identifier: Apache-2.0
// The messages of a conversation.
#pragma once

#include <backplane/result.hpp>
#include <boost/json.hpp>
#include <string_view>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

// A list of messages; errors name the place: "messages[3].content".
Result<Value> read_messages(const boost::json::object& body);

// A role that is neither OpenAI's nor named in the template's source would be lost in silence.
Status check_roles(const Value& messages, std::string_view chat_template);

}  // namespace backplane::local
