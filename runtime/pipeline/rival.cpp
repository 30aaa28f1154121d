// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/rival.hpp"

#include "runtime/pipeline/plugin_error.hpp"
#include "runtime/pipeline/try_end.hpp"

#include <backplane/plugin.hpp>

namespace backplane {

void keep_headers(const bp_event& event, HeaderList& out) {
  constexpr std::uint64_t kHeadersMax = 64;
  for (std::uint64_t i = 0; i < event.header_count && out.size() < kHeadersMax; ++i) {
    out.emplace_back(view(event.headers[i].name), view(event.headers[i].value));
  }
}

// Inside the start it may have won and lost again: where that went well it may be gone.
void Rival::start(Rival& rival, const AttemptContext& context, const bp_request& request) {
  const Status started = Attempt::start(rival, *rival.route_->backend, context, request);
  if (started) return;
  rival.attempt_ = nullptr;
  rival.end(&started.error());
}

void Rival::change_places(OwnTry own, AttemptOwner& winner) {
  std::swap(own.attempt, attempt_);
  std::swap(own.route, route_);
  std::swap(own.given, given_);
  std::swap(own.headers, headers_);
  std::swap(own.usage, usage_);
  std::swap(own.has_usage, has_usage_);
  std::swap(own.receipt, receipt_);
  own.attempt->hand_over(winner);
  if (attempt_ == nullptr) {
    delete this;
    return;
  }
  attempt_->hand_over(*this);
  lose(true);
}

void Rival::lose(bool had_start) {
  owner_ = nullptr;
  route_->state->outrun(given_, had_start, route_->backend->ejection(), now_ns());
  attempt_->cancel();
}

std::uint32_t Rival::on_event(const bp_event& event) {
  if (owner_ == nullptr) return BP_FLOW_STOP;
  if (event.type == BP_EVENT_HEAD) {
    if (event.rate_limit != nullptr) route_->state->heed(*event.rate_limit, now_ns());
    keep_headers(event, headers_);
    return BP_FLOW_CONTINUE;
  }
  if (event.type == BP_EVENT_USAGE) {
    if (event.usage != nullptr) usage_ = *event.usage;
    has_usage_ |= event.usage != nullptr;
    return BP_FLOW_CONTINUE;
  }
  if (event.type == BP_EVENT_RECEIPT) {
    receipt_ = view(event.data);
    return BP_FLOW_CONTINUE;
  }
  return owner_->on_rival_answer(event);  // this may be gone
}

void Rival::on_end(const bp_event& terminal) {
  attempt_ = nullptr;
  if (terminal.rate_limit != nullptr) route_->state->heed(*terminal.rate_limit, now_ns());
  if (terminal.type == BP_EVENT_END) return end(nullptr);
  const Error error = terminal.error != nullptr
                          ? read_error(*terminal.error)
                          : internal_error("the backend failed without a word");
  end(&error);
}

void Rival::end(const Error* error) {
  end_try(metrics_, *route_, given_, error != nullptr ? outcome_of(*error) : AttemptOutcome::kOk,
          error, now_ns());
  RivalOwner* const owner = owner_;
  delete this;
  if (owner != nullptr) owner->on_rival_gone();
}

}  // namespace backplane
