// SPDX-License-Identifier: Apache-2.0
#include "common/call_output.hpp"

#include <utility>

#include "common/call_error.hpp"

namespace backplane::dialect {

CallOutput::CallOutput(const Upstream& upstream, const bp_request& request, const bp_sink& sink)
    : upstream_(&upstream),
      writer_(sink),
      may_overrun_(sink.max_overrun > 0),
      id_(view(request.id)) {}

void CallOutput::head(std::span<const bp_pair> headers) {
  if (headers.empty() && !rate_limit_) return;
  answer(writer_.head(headers.data(), headers.size(), rate_limit_ ? &*rate_limit_ : nullptr));
}

void CallOutput::chunk(std::string_view document, std::string_view name) {
  if (witness_ != nullptr) witness_->on_document(document);
  answer(writer_.chunk(document, name));
}

void CallOutput::body(std::string_view bytes, std::string_view media_type) {
  if (witness_ != nullptr) witness_->on_document(bytes);
  answer(writer_.body(bytes, media_type));
}

void CallOutput::answer(std::uint32_t flow) {
  if (flow == BP_FLOW_PAUSE) paused_ = true;
  if (flow == BP_FLOW_STOP) fail(cancelled());
}

void CallOutput::succeed(std::string_view closing_document) {
  succeeded_ = true;
  if (witness_ != nullptr) {
    closing_document_ = closing_document;
    is_concluding_ = true;
    return;
  }
  write_usage();
  writer_.end(closing_document);
}

void CallOutput::conclude(const AnswerWitness::Conclusion& conclusion) {
  if (writer_.ended()) return;
  if (!conclusion.receipt.empty() && (!paused_ || may_overrun_)) {
    writer_.receipt(conclusion.receipt);
  }
  if (!conclusion.status) return fail(conclusion.status.error());
  write_usage();
  writer_.end(closing_document_);
}

void CallOutput::fail(Error error) {
  if (writer_.ended()) return;
  if (is_worth_logging(error.code)) {
    upstream_->services.host.log(BP_LOG_WARN, error.message, id_);
  }
  write_usage();
  writer_.error(error, rate_limit_ ? &*rate_limit_ : nullptr);
}

void CallOutput::fail_with(std::string_view document) {
  fail(document_error(document, upstream_->scrubber));
}

void CallOutput::note_malformed() {
  upstream_->malformed_events.add();
  if (std::exchange(malformed_noted_, true)) return;
  upstream_->services.host.log(
      BP_LOG_WARN, "the provider sent a stream event that is not JSON; it was passed on as it came",
      id_);
}

void CallOutput::write_usage() {
  if (!usage_ || (paused_ && !may_overrun_)) return;
  const bp_usage usage = *std::exchange(usage_, std::nullopt);
  writer_.usage(usage);
}

}  // namespace backplane::dialect
