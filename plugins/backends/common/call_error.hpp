// SPDX-License-Identifier: Apache-2.0
// The errors of a call that are not a provider's words: breaks, timeouts, answers that make no
// sense. None names an address.
#pragma once

#include <backplane/abi.h>
#include <backplane/result.hpp>

#include <string>

namespace backplane::dialect {

// 502 UPSTREAM_ERROR: the provider's answer cannot be used.
Error bad_answer(Code code, std::string message);

// DATA_LOSS: the response ended before it was complete.
Error cut_off();

// The provider says itself that it did not finish: another one may.
Error given_up();

Error cancelled();
Error deadline_passed();

// What the host's client reports, as the call's error: a timeout is DEADLINE_EXCEEDED only
// `past_deadline`, else another provider may be in time; what it cannot speak to is no fault of the
// client's.
Error transport_error(const bp_error& from, bool past_deadline);

// Not what a client did wrong: the provider's words about it may quote the request.
bool is_worth_logging(Code code);

}  // namespace backplane::dialect
