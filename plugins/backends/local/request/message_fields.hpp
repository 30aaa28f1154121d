// SPDX-License-Identifier: Apache-2.0
// The messages of a conversation.
#pragma once

#include <backplane/result.hpp>
#include <boost/json.hpp>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

// A list of messages; errors name the place: "messages[3].content".
Result<Value> read_messages(const boost::json::object& body);

}  // namespace backplane::local
