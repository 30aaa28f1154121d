// SPDX-License-Identifier: Apache-2.0
// One JSON document, gathered and checked: one BODY, of a chat in the one dialect
// (chunk_normalizer.hpp), USAGE where it tells any, END. An error inside it is ERROR.
#pragma once

#include "common/answer.hpp"
#include "common/stream_answer.hpp"

#include <string>

namespace backplane::dialect {

inline constexpr std::size_t kBodyMaxBytes = std::size_t{64} << 20;

class WholeAnswer final : public Answer {
 public:
  // Of the rules those that a stream has for its documents. `is_expected`: false where the client
  // asked for a stream and would not know what this is.
  WholeAnswer(CallOutput& output, const StreamRules& rules, std::string media_type,
              bool is_expected);

  void on_data(std::string_view bytes) override;
  void on_done() override;
  void on_resume() override;

 private:
  bool open();
  void refuse();

  const StreamRules rules_;
  ChunkReader reader_;
  const std::string media_type_;
  const bool is_expected_;
  bool is_written_ = false;
  std::string collected_;
};

}  // namespace backplane::dialect
