// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/mailbox.hpp"

#include <backplane/plugin.hpp>

namespace backplane {

OwnedEvent::OwnedEvent(const bp_event& event)
    : event_(event), data_(backplane::view(event.data)), detail_(backplane::view(event.detail)) {
  if (event.usage != nullptr) usage_ = *event.usage;
  if (event.error != nullptr) error_ = *event.error;
  for (std::uint64_t i = 0; i < event.header_count; ++i) {
    headers_.emplace_back(backplane::view(event.headers[i].name),
                          backplane::view(event.headers[i].value));
  }
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
