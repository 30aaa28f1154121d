// SPDX-License-Identifier: Apache-2.0
#include "common/body_answer.hpp"

namespace backplane::dialect {

void BodyAnswer::on_data(std::string_view bytes) {
  is_begun_ = true;
  output_.body(bytes, media_type_);
}

// An empty response has its media type as well.
void BodyAnswer::on_done() {
  if (!is_begun_) output_.body({}, media_type_);
  is_whole_ = true;
  on_resume();
}

void BodyAnswer::on_resume() {
  if (is_whole_ && !output_.paused() && !output_.ended()) output_.succeed();
}

}  // namespace backplane::dialect
