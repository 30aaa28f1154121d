// SPDX-License-Identifier: Apache-2.0
// Bytes of any kind (audio, subtitles, text), passed on as they come: each piece is one BODY.
// Nothing is held: while the client does not read, nor does the host.
#pragma once

#include "common/answer.hpp"

#include <string>

namespace backplane::dialect {

class BodyAnswer final : public Answer {
 public:
  BodyAnswer(CallOutput& output, std::string media_type)
      : Answer(output), media_type_(std::move(media_type)) {}

  void on_data(std::string_view bytes) override;
  void on_done() override;
  void on_resume() override;

 private:
  const std::string media_type_;
  bool is_begun_ = false;
  bool is_whole_ = false;
};

}  // namespace backplane::dialect
