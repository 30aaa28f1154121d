// SPDX-License-Identifier: Apache-2.0
#include "upload.hpp"

#include <backplane/plugin.hpp>

#include <utility>

namespace backplane::http {

const bp_body_stream* Upload::open(Framing& framing, std::uint64_t size) {
  framing_ = &framing;
  stream_ = {sizeof(bp_body_stream),
             0,
             size,
             this,
             [](void* self, bp_str* out, bp_task ready, void* argument) {
               return static_cast<Upload*>(self)->read(out, ready, argument);
             },
             [](void* self) { static_cast<Upload*>(self)->ready_ = nullptr; }};
  return &stream_;
}

void Upload::reset() {
  incoming_ = lent_ = std::string();
  ready_ = nullptr;
  ended_ = failed_ = false;
}

void Upload::end() {
  ended_ = true;
  wake();
}

void Upload::fail() {
  failed_ = true;
  ready_ = nullptr;
}

std::uint32_t Upload::read(bp_str* out, bp_task ready, void* argument) {
  const std::size_t done = lent_.size();
  lent_.clear();
  if (failed_) return BP_READ_FAILED;
  if (done != 0) framing_->on_upload_read(done);
  if (!incoming_.empty()) {
    std::swap(lent_, incoming_);
    *out = str(lent_);
    return BP_READ_BYTES;
  }
  if (ended_) return BP_READ_END;
  ready_ = ready;
  argument_ = argument;
  return BP_READ_WAIT;
}

void Upload::wake() {
  const bp_task ready = std::exchange(ready_, nullptr);
  if (ready != nullptr) ready(argument_);
}

}  // namespace backplane::http
