// SPDX-License-Identifier: Apache-2.0
#include "common/upload.hpp"

#include <algorithm>
#include <utility>

namespace backplane::dialect {

Upload::Upload(const bp_body_stream* source)
    : source_(source),
      left_bytes_(source == nullptr ? 0 : source->size),
      is_over_(left_bytes_ == 0) {
  if (source == nullptr) return;
  table_ = {sizeof(bp_body_stream), 0, source->size, this, &read, &forget};
}

void Upload::detach() {
  if (const bp_body_stream* source = std::exchange(source_, nullptr)) {
    source->forget(source->context);
  }
}

std::uint32_t Upload::read(void* context, bp_str* out, bp_task ready, void* argument) {
  auto& self = *static_cast<Upload*>(context);
  if (self.is_over_) return BP_READ_END;
  if (self.source_ == nullptr) return BP_READ_FAILED;
  const std::uint32_t answer = self.source_->read(self.source_->context, out, ready, argument);
  if (answer == BP_READ_BYTES && self.left_bytes_ != BP_SIZE_UNKNOWN) {
    self.left_bytes_ -= std::min(self.left_bytes_, out->size);
  }
  self.is_over_ = answer == BP_READ_END || self.left_bytes_ == 0;
  return answer;
}

}  // namespace backplane::dialect
