// SPDX-License-Identifier: Apache-2.0
// What a call needs to know of the documents an OpenAI-compatible server sends: usage, finish
// reasons, errors, and which is the last. A chunk that holds none of them (nearly all do) costs a
// few byte searches and no parse. One reader serves one call; not thread-safe.
#pragma once

#include <backplane/abi.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kChoicesMax = 128;  // the dialect's bound on `n`

struct Finish {
  std::uint32_t index;  // of the choice
  std::string reason;   // as sent: "stop", "length", "eos" ...
};

struct ChunkFacts {
  // Usage where the document has any, wherever the server puts it: `usage` with or without choices,
  // `x_groq.usage` or `response.usage`; under either of the dialect's two sets of names. Where only
  // a total is told it is the prompt's. Absent is not zero. Counts are as sent; a part is never
  // more than its whole.
  bool has_usage = false;
  bp_usage usage{};
  bool has_choices = true;  // false: no `choices`, or it is null or empty; exact where has_usage
  // A member `error` that is not null, false or "", or a document that is an error itself
  // ("object": "error", or `detail` and no result). A response object that tells of its own failure
  // is an answer like any other.
  bool has_error = false;
  bool may_need_changes = false;    // chunk_normalizer.hpp; false for streams of types
  bool says_stop = false;           // a choice ended with "stop"
  bool is_plain_reasoning = false;  // the one change is reasoning, under that name alone
  std::size_t reasoning_at = 0;     // where its key stands
  bool has_other_choice = false;    // it may have another than the first
  bool is_malformed = false;
};

// How a stream tells that it is complete: every choice had its finish reason, or a document whose
// `type` is one that comes last ("response.completed", "transcript.text.done" ...).
enum class Completion { kChoices, kTypes };

class ChunkReader {
 public:
  explicit ChunkReader(Completion completion = Completion::kChoices);
  ~ChunkReader();

  // Reads one document. `readable` bytes may be read from its start; where that is less than
  // kPaddingBytes more than its size, what has to be parsed is copied first.
  static constexpr std::size_t kPaddingBytes = 64;
  ChunkFacts read(std::string_view document, std::size_t readable);
  ChunkFacts read(std::string_view document) { return read(document, document.size()); }
  // Likewise, of a document that most likely has its usage: parsed without a look for it.
  ChunkFacts read_whole(std::string_view document, std::size_t readable);

  // Of the last document read.
  const std::vector<Finish>& finishes() const { return finishes_; }

  // Some servers end a stream of types as one of choices.
  bool is_complete() const { return last_seen_ || (seen_.any() && seen_ == finished_); }

 private:
  struct Parser;

  ChunkFacts parse(std::string_view document, std::size_t readable);
  void note_choice(std::uint64_t index, std::string_view reason);

  const Completion completion_;
  bool last_seen_ = false;
  std::unique_ptr<Parser> parser_;  // made when first needed
  std::bitset<kChoicesMax> seen_;
  std::bitset<kChoicesMax> finished_;
  std::vector<Finish> finishes_;
};

// A `type` that comes last in its stream.
bool is_last_type(std::string_view type);

// `document` is one valid JSON object: it was not cut. Parses all of it.
bool is_whole_object(std::string_view document);

}  // namespace backplane::dialect
