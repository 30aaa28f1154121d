// SPDX-License-Identifier: Apache-2.0
// Server-sent events: each payload is one CHUNK under its name, as it came or, of a chat, in the
// one dialect (chunk_normalizer.hpp). `[DONE]`, or an end of the response after the stream told
// that it is complete, is END; any other end is DATA_LOSS; a payload with an error is ERROR. A
// payload that is no JSON is passed on like the others: one bad document is no reason to take the
// rest from the client.
#pragma once

#include "common/answer.hpp"
#include "common/answer_filter.hpp"
#include "common/chunk_normalizer.hpp"
#include "common/chunk_reader.hpp"
#include "common/sse_framer.hpp"

#include <optional>
#include <string>

namespace backplane::dialect {

struct StreamRules {
  Completion completion = Completion::kChoices;
  std::size_t event_max_bytes = kEventMaxBytes;
  // A usage chunk without choices is metered and not passed on: the client did not ask for it.
  bool hide_usage = false;
  ReasoningTags tags = ReasoningTags::kOff;  // of a chat
  // Borrowed; null: documents are read as they come. With one, what is no JSON ends the stream.
  AnswerFilter* filter = nullptr;
};

class StreamAnswer final : public Answer {
 public:
  StreamAnswer(CallOutput& output, const StreamRules& rules);

  void on_data(std::string_view bytes) override;
  void on_done() override;
  void on_failed(Error error) override;
  void on_resume() override { pump(); }

 private:
  void pump();
  void on_event(SseEvent event);
  bool open(SseEvent& event);
  void pass_on(const SseEvent& event, const ChunkFacts& facts);
  void on_end();
  void give_rest();
  void read_rest();

  const StreamRules rules_;
  SseFramer framer_;
  ChunkReader reader_;
  ChunkNormalizer normalizer_;
  std::string held_;  // input that a pause kept from being read
  bool input_ended_ = false;
  std::optional<Error> failure_;  // what the input ended with
};

}  // namespace backplane::dialect
