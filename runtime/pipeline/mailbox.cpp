// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/mailbox.hpp"

#include <backplane/plugin.hpp>
#include <cstddef>

namespace backplane {

OwnedEvent::OwnedEvent(const bp_event& event) {
  if (event.struct_size < sizeof(bp_event)) {
    // Its receiver refuses it by its size; only whether it ends the stream still counts.
    event_.struct_size = event.struct_size;
    if (event.struct_size >= offsetof(bp_event, sequence)) event_.type = event.type;
    return;
  }
  event_ = event;
  data_ = backplane::view(event_.data);
  detail_ = backplane::view(event_.detail);
  if (event_.usage != nullptr) usage_ = *event_.usage;
  if (event_.error != nullptr) error_ = *event_.error;
  for (std::uint64_t i = 0; i < event_.header_count; ++i) {
    headers_.emplace_back(backplane::view(event_.headers[i].name),
                          backplane::view(event_.headers[i].value));
  }
  const bool is_plain =
      event_.tool_call == nullptr && event_.logprobs.size == 0 && event_.rate_limit == nullptr;
  if (is_plain) return;
  rare_ = std::make_unique<Rare>();
  rare_->logprobs = backplane::view(event_.logprobs);
  if (event_.rate_limit != nullptr) {
    rare_->rate_limit.struct_size = event_.rate_limit->struct_size;
    if (event_.rate_limit->struct_size >= sizeof(bp_rate_limit)) {
      rare_->rate_limit = *event_.rate_limit;
    }
  }
  if (event_.tool_call == nullptr) return;
  rare_->tool_call.struct_size = event_.tool_call->struct_size;
  if (event_.tool_call->struct_size < sizeof(bp_tool_call)) return;  // its receiver refuses it
  rare_->tool_call = *event_.tool_call;
  rare_->tool_call_id = backplane::view(event_.tool_call->id);
  rare_->tool_call_name = backplane::view(event_.tool_call->name);
  rare_->tool_call.id = str(rare_->tool_call_id);
  rare_->tool_call.name = str(rare_->tool_call_name);
}

bp_event OwnedEvent::view() const {
  bp_event event = event_;
  event.data = str(data_);
  event.detail = str(detail_);
  if (event.usage != nullptr) event.usage = &usage_;
  if (event.error != nullptr) event.error = &error_;
  pairs_.clear();
  for (const auto& [name, value] : headers_) pairs_.push_back({str(name), str(value)});
  event.headers = pairs_.data();
  if (rare_ == nullptr) return event;
  event.logprobs = str(rare_->logprobs);
  if (event.rate_limit != nullptr) event.rate_limit = &rare_->rate_limit;
  if (event.tool_call != nullptr) event.tool_call = &rare_->tool_call;
  return event;
}

void Mailbox::put(EventReceiver& receiver, const bp_event& event) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(&receiver, OwnedEvent(event));
  if (scheduled_) return;
  scheduled_ = true;
  loops_.post(
      loop_, [](void* self) { static_cast<Mailbox*>(self)->deliver(); }, this);
}

void Mailbox::deliver() {
  std::vector<std::pair<EventReceiver*, OwnedEvent>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(waiting_);
    scheduled_ = false;
  }
  for (const auto& [receiver, event] : batch) receiver->receive(event.view());
}

}  // namespace backplane
