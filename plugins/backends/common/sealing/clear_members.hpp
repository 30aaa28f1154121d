// SPDX-License-Identifier: Apache-2.0
// Which members of a chat request may leave in the clear. Pure functions [any-thread].
#pragma once

#include "common/sealing/json_walk.hpp"
#include "common/sealing/variant.hpp"

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::sealing {

// Of the request, beside its messages; of a message, beside its content; of a part of a content,
// beside its text.
enum class MemberOf { kRequest, kMessage, kPart };

// INVALID_ARGUMENT, with `path`, where `value` would tell what people say, or ask for an answer
// that does. Consumes `value`.
Status check_clear_member(const Variant& variant, MemberOf owner, const std::string& path,
                          std::string_view name, JsonValue value);

// The same error, of what cannot be carried for another reason.
Error cannot_carry(const Variant& variant, const std::string& path, std::string_view why);

}  // namespace backplane::sealing
