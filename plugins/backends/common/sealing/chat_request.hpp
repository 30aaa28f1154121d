// SPDX-License-Identifier: Apache-2.0
// A chat request as it leaves for the provider: the content of every message sealed in place, of
// all roles, the rest as it was. Members that would carry what people say in the clear are refused:
// a caller who was promised encryption is not to find out later what it left out. Parameters pass
// (the model, sampling, stop words, `user`, `metadata` ...), and so does any other member without
// text.
#pragma once

#include "common/sealing/call_seal.hpp"

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::sealing {

// `body` is what would be sent without seals, the model's name included. INVALID_ARGUMENT, naming
// the member: the variant cannot carry it, or the body is no chat request.
Result<std::string> seal_chat_request(const CallSeal& seal, std::string_view body);

}  // namespace backplane::sealing
