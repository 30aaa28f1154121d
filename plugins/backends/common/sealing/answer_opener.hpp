// SPDX-License-Identifier: Apache-2.0
// The documents of a sealed answer, opened one after the other: those of a stream, or the one of a
// whole answer. What the provider should have sealed and did not is no answer: the first such text,
// or seal that does not open, ends it, and nothing comes out any more.
//
//   sealed fields    content, reasoning_content, reasoning, refusal, audio.data
//   never without    any other text of a choice, and what stands for text (tool calls, logprobs,
//   a seal           tokens); a role and the reasons of an end are not taken for text
//   passed           "" and, where the variant says so, white space; everything beside the choices
//
// Lives on the call's loop; not thread-safe.
#pragma once

#include "common/answer_filter.hpp"
#include "common/sealing/call_seal.hpp"

#include <backplane/abi.h>
#include <backplane/result.hpp>

#include <bitset>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace backplane::sealing {

inline constexpr std::size_t kAnswerChoicesMax = 128;

class AnswerOpener final : public dialect::AnswerFilter {
 public:
  // `request_model`: the name that the sealed request gave.
  AnswerOpener(CallSeal seal, std::string request_model);
  ~AnswerOpener() override;

  // DATA_LOSS, with a status of 502: the headers say that nothing was encrypted. That they say it
  // was proves nothing.
  Status check_head(std::span<const bp_pair> headers) override;

  // The document in plaintext, valid until the next call; "[DONE]" as it is. DATA_LOSS, with a
  // status of 502, and for every document after it: the answer cannot be trusted. The message names
  // the place and quotes nothing.
  Result<std::string_view> open(std::string_view document) override;

  // What the end of the input means. DATA_LOSS: neither "[DONE]" came nor a finish of each choice,
  // or open has failed.
  Status finish() override;

 private:
  struct Reader;

  Result<std::string_view> read(std::string_view document);

  CallSeal seal_;
  std::string request_model_;
  std::unique_ptr<Reader> reader_;
  std::optional<Error> failure_;
  bool is_done_ = false;
  std::bitset<kAnswerChoicesMax> seen_;
  std::bitset<kAnswerChoicesMax> finished_;
};

}  // namespace backplane::sealing
