// SPDX-License-Identifier: Apache-2.0
// What stands between a provider's answer and whoever reads it, where a call needs that: an answer
// that has to be decrypted first. One serves one call. [loop]
#pragma once

#include <backplane/abi.h>
#include <backplane/result.hpp>

#include <span>
#include <string_view>

namespace backplane::dialect {

class AnswerFilter {
 public:
  AnswerFilter() = default;
  virtual ~AnswerFilter() = default;
  AnswerFilter(const AnswerFilter&) = delete;
  AnswerFilter& operator=(const AnswerFilter&) = delete;

  // Of a response of success. An error is the call's.
  virtual Status check_head(std::span<const bp_pair> headers) = 0;
  // What takes a document's place, "[DONE]" included; valid until the next call. An error is the
  // call's, and nothing of the document is passed on. Documents of errors do not come here where
  // the stream names them so.
  virtual Result<std::string_view> open(std::string_view document) = 0;
  // The input ended without "[DONE]". An error is the call's.
  virtual Status finish() = 0;
};

}  // namespace backplane::dialect
