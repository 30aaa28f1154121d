// SPDX-License-Identifier: Apache-2.0
// One call to an OpenAI-compatible server over bp.http/1: sends the request, and what arrives
// becomes events by its kind (stream_answer.hpp, whole_answer.hpp, body_answer.hpp,
// error_answer.hpp). USAGE, where the server told any, is the event before the terminal one.
//
// All but cancel, resume and release happens on request.loop, and cancel and resume hop there. Once
// paused, nothing but a terminal event follows until resume (and USAGE before it where the sink
// has an overrun). The instance must outlive the call's terminal event, not what comes after it:
// a response may still be read to its end, so that its connection can be kept.
//
// With a witness the end waits for its conclusion: for the last byte of the response, and for what
// the witness has to ask.
#pragma once

#include "common/answer_filter.hpp"
#include "common/answer_witness.hpp"
#include "common/body_splice.hpp"
#include "common/stream_answer.hpp"
#include "common/upstream.hpp"

#include <backplane/plugin.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kTrailingMaxBytes = std::size_t{16} << 10;  // behind the end
inline constexpr std::size_t kMediaTypeMaxBytes = 256;                   // longer: not passed on

// Which responses are streams of events.
enum class Streams {
  kNever,
  kWhenAsked,     // by BP_REQUEST_STREAM, and then a whole document is an error
  kWhenAnswered,  // those that say so: the request's flags do not tell
};

// What a response of success may be. Everything else than a stream is one JSON document, unless it
// may be bytes of any type.
struct AnswerRules {
  Streams streams = Streams::kWhenAsked;
  StreamRules stream;
  bool may_be_bytes = false;
};

// What one call sends, with POST.
struct Outgoing {
  std::string url;
  std::vector<Header> headers;
  BodySplice body;  // what follows it is the request's body_stream
  AnswerRules answer;
  std::vector<std::string> dropped{};        // fields, told in the header x-backplane-dropped
  std::unique_ptr<AnswerFilter> filter{};    // null: none
  std::unique_ptr<AnswerWitness> witness{};  // null: none; not for what has a body_stream
};

// Sends it. Fails, without an event, when the host refuses the request or the deadline has passed.
Result<Call*> start_call(const Upstream& upstream, const bp_request& request, const bp_sink& sink,
                         Outgoing outgoing);

}  // namespace backplane::dialect
